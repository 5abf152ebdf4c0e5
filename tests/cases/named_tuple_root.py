"""A task that returns a NamedTuple, run on its own: three outputs, the nested tuple whole."""

from named_tuples import Address, Employee, Person, make_employee
from scenario import Observed, Scenario


def check(observed: Observed) -> None:
    assert isinstance(observed.value[0], Person)
    assert isinstance(observed.value[2], Address)
    assert make_employee.interface.output_names == ("person", "department", "address")


SCENARIO = Scenario(
    make_employee,
    value=Employee(
        Person("Bob", 35, "bob@company.com"), "Engineering", Address("123 Main St", "San Francisco", "USA")
    ),
    check=check,
)
