"""CloudFormation's intrinsic functions, as far as the properties need them that the emulator drops."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from upwell_runtime.sandbox.state import SandboxError

REFERENCE = re.compile(r"\$\{([^}!]+)\}")
Attribute = Callable[[str, str], str]
"""(logical id, attribute) -> value."""


class Resolver:
    """Evaluates Ref, GetAtt, Join and Sub of one created stack."""

    def __init__(self, references: Mapping[str, str], attribute: Attribute) -> None:
        """Take what `Ref` gives (parameters, physical ids, `AWS::...`) and how to find an attribute."""
        self._references = references
        self._attribute = attribute

    def resolve(self, value: Any) -> Any:
        """Return the value with every intrinsic function evaluated.

        Raises:
            SandboxError: a function or reference that is not known here.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        return {key: self.resolve(item) for key, item in value.items()}

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", str():
                return self._reference(argument)
            case "Fn::GetAtt", [str() as logical_id, str() as attribute]:
                return self._attribute(logical_id, attribute)
            case "Fn::GetAtt", str():
                logical_id, _, attribute = argument.partition(".")
                return self._attribute(logical_id, attribute)
            case "Fn::Join", [str() as separator, list() as parts]:
                return separator.join(str(self.resolve(part)) for part in parts)
            case "Fn::Sub", str():
                return REFERENCE.sub(lambda found: self._substitute(found[1]), argument)
        raise SandboxError(f"the sandbox cannot evaluate {{{name!r}: {argument!r}}} of the template")

    def _substitute(self, name: str) -> str:
        logical_id, dot, attribute = name.partition(".")
        return self._attribute(logical_id, attribute) if dot else self._reference(name)

    def _reference(self, name: str) -> str:
        try:
            return self._references[name]
        except KeyError:
            raise SandboxError(f"the template refers to {name!r}, which the stack does not have") from None
