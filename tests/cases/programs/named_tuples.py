"""NamedTuples as inputs and outputs, nested ones too."""

from dataclasses import dataclass
from typing import NamedTuple

import upwell

env = upwell.TaskEnvironment("named_tuples")


class Coordinates(NamedTuple):
    latitude: float
    longitude: float
    altitude: float = 0.0


class Person(NamedTuple):
    name: str
    age: int
    email: str = "unknown@example.com"


class Metrics(NamedTuple):
    accuracy: float
    precision: float
    recall: float
    f1: float


@dataclass
class Address:
    street: str
    city: str
    country: str = "USA"


class Employee(NamedTuple):
    person: Person
    department: str
    address: Address


class Report(NamedTuple):
    employee: Employee
    location: str
    greeting: str
    metrics: str
    sentence: str


@env.task
async def create_location() -> Coordinates:
    return Coordinates(latitude=37.7749, longitude=-122.4194, altitude=16.0)


@env.task
async def describe_location(location: Coordinates) -> str:
    return f"Location: {location.latitude}, {location.longitude} at {location.altitude} m"


@env.task
async def create_person(name: str, age: int) -> Person:
    return Person(name=name, age=age)


@env.task
async def greet(person: Person) -> str:
    return f"Hello, {person.name}! You are {person.age} years old ({person.email})."


@env.task
async def measure(predictions: list[int], labels: list[int]) -> Metrics:
    accuracy = sum(p == q for p, q in zip(predictions, labels)) / len(labels)
    return Metrics(accuracy=accuracy, precision=accuracy * 0.95, recall=accuracy * 0.9, f1=accuracy * 0.92)


@env.task
async def format_metrics(metrics: Metrics) -> str:
    return ", ".join(f"{name} {value:.2%}" for name, value in metrics._asdict().items())


@env.task
async def create_employee() -> Employee:
    return Employee(
        person=Person("Bob", 35, "bob@company.com"),
        department="Engineering",
        address=Address("123 Main St", "San Francisco"),
    )


@env.task
async def describe_employee(employee: Employee) -> str:
    person, address = employee.person, employee.address
    return f"{person.name} works in {employee.department} at {address.city}, {address.country}"


@env.task
async def main() -> Report:
    location = await create_location()
    person = await create_person("Alice", 30)
    metrics = await measure([1, 0, 1, 1, 0, 1, 0, 1, 1, 0], [1, 0, 1, 1, 0, 1, 0, 1, 0, 1])
    employee = await create_employee()
    return Report(
        employee=employee,
        location=await describe_location(location),
        greeting=await greet(person),
        metrics=await format_metrics(metrics),
        sentence=await describe_employee(employee),
    )


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
    root = upwell.run(create_employee)
    print(root.outputs())
