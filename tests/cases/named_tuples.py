"""NamedTuples in and out: nested, with defaults, with a dataclass inside; of the root, several outputs."""

from dataclasses import dataclass
from typing import NamedTuple

from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("case-named-tuples")


class Coordinates(NamedTuple):
    latitude: float
    longitude: float
    altitude: float = 0.0


class Person(NamedTuple):
    name: str
    age: int
    email: str = "unknown"


@dataclass
class Address:
    street: str
    city: str
    country: str = "USA"


class Employee(NamedTuple):
    person: Person
    department: str
    address: Address


class Metrics(NamedTuple):
    accuracy: float
    precision: float


class Results(NamedTuple):
    employee: Employee
    location: str
    greeting: str
    report: str
    sentence: str


@env.task
async def make_coordinates() -> Coordinates:
    return Coordinates(37.7749, -122.4194, 16.0)


@env.task
async def describe(place: Coordinates) -> str:
    return f"at {place.latitude}, {place.longitude}, {place.altitude} m"


@env.task
async def make_person(name: str, age: int) -> Person:
    return Person(name, age)


@env.task
async def greet(person: Person) -> str:
    return f"Hello {person.name}, {person.age}, {person.email}"


@env.task
async def measure(predictions: list[int], labels: list[int]) -> Metrics:
    accuracy = sum(p == q for p, q in zip(predictions, labels, strict=True)) / len(labels)
    return Metrics(accuracy, precision=accuracy * 0.95)


@env.task
async def report(metrics: Metrics) -> str:
    return f"{metrics.accuracy:.2%} {metrics.precision:.2%}"


@env.task
async def make_employee() -> Employee:
    address = Address("123 Main St", "San Francisco")
    return Employee(person=Person("Bob", 35, "bob@company.com"), department="Engineering", address=address)


@env.task
async def tell(employee: Employee) -> str:
    address = employee.address
    return f"{employee.person.name} works in {employee.department} at {address.city}, {address.country}"


@env.task
async def main() -> Results:
    employee = await make_employee()
    return Results(
        employee=employee,
        location=await describe(await make_coordinates()),
        greeting=await greet(await make_person("Alice", 30)),
        report=await report(await measure([1] * 8 + [0, 0], [1] * 10)),
        sentence=await tell(employee),
    )


SCENARIO = Scenario(
    main,
    value=(
        Employee(
            Person("Bob", 35, "bob@company.com"), "Engineering", Address("123 Main St", "San Francisco", "USA")
        ),
        "at 37.7749, -122.4194, 16.0 m",
        "Hello Alice, 30, unknown",
        "80.00% 76.00%",
        "Bob works in Engineering at San Francisco, USA",
    ),
)
