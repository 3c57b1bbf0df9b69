"""One call of a Java, Kotlin, Scala or other JVM stack (after the `at`)."""

from __future__ import annotations

import re

from schemas.reports import Frame

_CALL = re.compile(r"(?P<function>[^\s()]{1,500})(?P<space> ?)\((?P<place>[^()]{0,300})\)(?= |$)")
_PLACE = re.compile(
    r"(?:(?P<path>[^\s:()]{1,300}):(?P<line>\d{1,9})"
    r"|(?P<file>[^\s:()]{1,300}\.(?:java|kt|kts|scala|groovy|gradle|clj|cljc|gen|rb|jsp)|SourceFile))$"
)
_FILES = (".java", ".kt", ".scala", ".groovy")
_PLACELESS = re.compile(
    r"(?:Native Method|Unknown Source(?::\d{1,9})?|<generated>|<unknown>|Unknown)$"
)
_MODULE = re.compile(r"(?:[\w.$@ -]{0,200}/){1,2}(?=[A-Za-z_$])")
_JAR = re.compile(r" ~?\[[^\[\]]{0,300}\]$")


def read_jvm_call(call: str) -> Frame | None:
    """Return the frame of `module/pkg.Class.method(File.java:12) ~[jar:1]`; None when it is none.

    Class loader and module before the name are left out, so that one name is one name.
    """
    if call.endswith("]"):
        call = _JAR.sub("", call)
    match = _CALL.match(call)
    if match is None:
        return None
    function = match["function"]
    if "$$Lambda" not in function:  # `Cart$$Lambda/0x00007f.run` has its slash inside the name.
        module = _MODULE.match(function)
        function = function[module.end() :] if module else function
    if _PLACELESS.match(match["place"]):
        return Frame(path="", function=function)
    place = _PLACE.match(match["place"])
    if place is None or "." not in function:
        return None
    if match["space"] and not (place["path"] or "").endswith(_FILES):  # Only Maven prints a space.
        return None
    line = place["line"]
    return Frame(
        path=place["path"] or place["file"] or "SourceFile",
        line=int(line) if line else None,
        function=function,
    )
