"""The version of a task's code: what its result can depend on in the user's own code.

`walk.version_of(func)` gives the `version.CodeVersion` of a function: a digest, and the parts that it is made
of, with their text.
"""
