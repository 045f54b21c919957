# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Writes manual pages, in the macros of man(7), from what headers.py has read."""

import re

from headers import HeaderError

SUMMARY_LENGTH = 90

# Names that a text may refer to, besides functions: set by Writer.
TYPES = set()
HEADERS = set()


class Page:
    """A page: its place, its purpose, and its lines."""

    def __init__(self, name, section, title, purpose):
        self.name, self.section, self.title, self.purpose = name, section, title, purpose
        self.lines = []
        self.links = []  # other names of this page

    @property
    def path(self):
        return f"man{self.section[0]}/{self.name}.{self.section}"

    def text(self, version):
        names = ", ".join([self.name] + self.links)
        head = [
            f'.TH {self.name} {self.section} "" "libaxvcpu {version}" "{self.title}"',
            ".nh",
            ".nr HY 0",
            ".ad l",
            ".SH NAME",
            f"{escape(names)} \\- {mark(self.purpose)}",
        ]
        return "\n".join(head + self.lines) + "\n"


def escape(text):
    text = text.replace("\\", "\\e")
    text = re.sub(r"(?<![\w.])-", r"\\-", text)
    text = text.replace("~", "\\(ti").replace("^", "\\(ha").replace("`", "\\(ga")
    return text


REFERENCES = (
    r"(`[^`]+`|sizeof\([^)]+\)|\bax\w+\(\)|\bAX(?:VCPU|VM|PERCPU)_\w+\*?|-E[A-Z0-9]+\b"
    r"|(?<![\w/.])[a-z]\w*\.h\b|\b(?:struct|enum) ax\w+)"
)


def mark(text, italic=()):
    """Roff of a sentence: names of the API, errnos and `code` are bold, parameters italic."""
    italic = set(italic)
    out = []
    for piece in re.split(REFERENCES, text):
        if re.fullmatch(r"`[^`]+`", piece):
            font = "I" if piece[1:-1] in italic else "B"
            out.append(f"\\f{font}{escape(piece[1:-1])}\\fR")
        elif re.fullmatch(r"ax\w+\(\)", piece):
            out.append(f"\\fB{piece[:-2]}\\fR(3)")
        elif re.fullmatch(r"\w+\.h", piece) and piece in HEADERS:
            out.append(f"\\fBaxvcpu\\-{piece[:-2]}\\fR(7)")
        elif re.fullmatch(r"(struct|enum) \w+", piece) and piece.split()[1] in TYPES:
            out.append("%s \\fB%s\\fR(3type)" % tuple(piece.split()))
        elif re.fullmatch(r"AX\w+\*?|-E[A-Z0-9]+|sizeof.*", piece):
            out.append(f"\\fB{escape(piece)}\\fR")
        else:
            out.append(escape(piece))
    return protect("".join(out))


def protect(line):
    return "\\&" + line if line[:1] in (".", "'") else line


def sentence(text):
    """With a capital and a full stop."""
    if not text:
        return text
    if re.match(r"[a-z]+(?![\w(])", text):
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", ":", "?")) else text + "."


def code(lines):
    return [".EX"] + [protect(escape(line.expandtabs(4))) for line in lines] + [".EE"]


def blocks(comment, italic=()):
    """The paragraphs of a comment."""
    lines = []
    for index, (kind, content) in enumerate(comment.blocks):
        if kind == "p":
            lines += [".PP"] if index else []
            lines.append(mark(content, italic))
        elif kind == "code":
            lines += [".PP", ".RS 4"] + code(content) + [".RE"]
        elif kind == "list":
            for item in content:
                lines += [".IP \\(bu 3", mark(item, italic)]
        else:
            for row in content[1:]:
                lines += [".TP", mark(row[0], italic), mark(sentence(" ".join(row[1:])), italic)]
    return lines


def definitions(pairs, italic=()):
    lines = []
    for term, text in pairs:
        lines += [".TP", term, mark(sentence(text), italic) or "\\&"]
    return lines


def member(member_):
    """A member with its comment: an entry of a list."""
    comment = member_.comment
    callback = "(*" in member_.code
    shown = member_.code if callback else member_.name
    lines = [".TP", f"\\fB{escape(shown)}\\fR"]
    for also in member_.also:
        lines += [".TQ", f"\\fB{escape(also)}\\fR"]
    names = [name for name, _ in comment.params]
    text = blocks(comment, names)
    lines += [".IP" if line == ".PP" else line for line in text]
    nested = definitions([(f"\\fI{name}\\fR", text) for name, text in comment.params], names)
    if comment.returns:
        nested += [".PP", mark(sentence("returns " + "; ".join(comment.returns)), names)]
    return lines + ([".RS"] + nested + [".RE"] if nested else [])


def prototype(function):
    """The declaration, with continuation lines under the first parameter."""
    start = function.type + ("" if function.type.endswith("*") else " ") + function.name + "("
    lines = []
    line = start
    params = function.params or ["void"]
    for index, param in enumerate(params):
        param += ");" if index == len(params) - 1 else ","
        if len(line) + len(param) > 71 and line.strip() != start:
            lines.append(line.rstrip())
            line = " " * len(start)
        line += param + " "
    lines.append(line.rstrip())
    bold = []
    for line in lines:
        line = escape(line)
        for name in function.names:
            line = re.sub(r"(?<=[ *])%s(?=[,)\[])" % re.escape(name), r"\\fI%s\\fB" % name, line)
        bold.append(f"\\fB{line}\\fR")
    return bold


def library(include):
    return [
        ".SH LIBRARY",
        "Virtual CPUs over KVM (libaxvcpu,",
        ".BR \\-laxvcpu )",
        ".SH SYNOPSIS",
        ".nf",
        f"\\fB#include <axvcpu/{include}>\\fR",
        ".fi",
        ".PP",
    ]


def see_also(references):
    lines = [".SH SEE ALSO"]
    for index, (name, section) in enumerate(references):
        comma = "," if index < len(references) - 1 else ""
        lines.append(f".BR {escape(name)} ({section}){comma}")
    return lines


def labelled(label, text, italic=()):
    """STATES, THREADS or SOURCE."""
    text = f"{text} in the axvcpu crate." if label == "Source" else sentence(text)
    return [f".SH {label.upper()}", mark(text, italic)]


def macros(items):
    """Constants with their comments; those that share one in one entry."""
    lines = []
    last = None
    text = 0  # where the description of the latest entry begins
    for macro in items:
        term = f"\\fB{escape(macro.shown)}\\fR"
        if last is not None and macro.comment is last.comment:
            lines[text:text] = [".TQ", term]
            text += 2
            continue
        lines += [".TP", term]
        text = len(lines)
        lines += [".IP" if line == ".PP" else line for line in blocks(macro.comment)]
        last = macro
    return lines


def return_value(comment, names):
    """RETURN VALUE: a sentence, or a list of values."""
    results = comment.results()
    if not comment.returns:
        return []
    lines = [".SH RETURN VALUE"]
    if results == ["0"]:
        return lines + ["0 on success, a negative errno on failure."]
    if len(results) == 1 and not re.match(r"\S+: ", results[0]):
        lines.append(mark(sentence(results[0]), names))
    else:
        pairs = [item.partition(": ") for item in results]
        for term, colon, _ in pairs:
            if not colon and term != "0":
                raise HeaderError(f"{comment.where}: @return: not VALUE: meaning: {term}")
        pairs = [(mark(term), meaning or "success") for term, _, meaning in pairs]
        lines += definitions(pairs, names) + ([".PP"] if comment.errors() else [])
    return lines + (["A negative errno on failure."] if comment.errors() else [])


class Writer:
    """Makes the pages of the headers; 'groups' are (title, [name]) of related functions."""

    def __init__(self, headers, groups, umbrella):
        self.headers = headers
        self.groups = groups
        self.umbrella = umbrella  # what axvcpu.h includes
        self.errors = {}
        for header in headers:
            for kind, rows in header.comment.blocks:
                if header.name == "error.h" and kind == "table":
                    self.errors = {row[0]: row[1] for row in rows[1:]}
        self.types = {item.name: item for header in headers for item in header.types}
        self.functions = {item.name: item for header in headers for item in header.functions}
        self.macros = [macro for header in headers for macro in header.macros]
        self.shown = set()  # macros that are on a page
        TYPES.update(self.types)
        HEADERS.update(header.name for header in headers if header.name != "axvcpu.h")
        self._check_groups()

    def _check_groups(self):
        grouped = [name for _, names in self.groups for name in names]
        wrong = set(grouped) ^ set(self.functions)
        if wrong or len(grouped) != len(set(grouped)):
            raise HeaderError(f"groups: each function must be in one group: {sorted(wrong)}")

    def _include(self, header):
        return "axvcpu.h" if header.name in self.umbrella else header.name

    def _overview(self, header):
        return ("axvcpu-" + header.name[:-2], "7") if header.name in HEADERS else ("axvcpu", "7")

    def _constants(self, header, text):
        """Macros that a text names: PREFIX_* in any header, full names in its own."""
        prefixes = tuple(name for name in re.findall(r"\b(AX\w+_)\*", text))
        found = [
            macro
            for macro in self.macros
            if macro.name.startswith(prefixes)
            or macro in header.macros
            and re.search(r"\b%s\b" % macro.name, text)
        ]
        self.shown.update(macro.name for macro in found)
        return found

    def _purpose(self, comment, name):
        text = comment.summary
        if not text or len(text) > SUMMARY_LENGTH:
            raise HeaderError(
                f"{comment.where}: the first sentence about {name} must have 1 to "
                f"{SUMMARY_LENGTH} characters: {text}"
            )
        return text[0].lower() + text[1:] if re.match(r"A |[A-Z][a-z]", text) else text

    def function(self, header, function):
        comment = function.comment
        names = [name for name, _ in comment.params]
        page = Page(
            function.name, "3", "Library Functions", self._purpose(comment, function.name)
        )
        wrong = set(names) ^ set(function.names)
        if wrong:
            raise HeaderError(f"{comment.where}: {function.name}: @param of {sorted(wrong)}")
        page.lines = library(self._include(header)) + [".nf"] + prototype(function) + [".fi"]
        page.lines += [".SH DESCRIPTION"] + blocks(comment, names)
        if comment.params:
            page.lines += [".SH PARAMETERS"] + definitions(
                [(f"\\fI{name}\\fR", text) for name, text in comment.params], names
            )
        page.lines += return_value(comment, names) + self._errors(comment, names)
        constants = self._constants(header, comment.text())
        if constants:
            page.lines += [".SH CONSTANTS"] + macros(constants)
        for label, text in comment.labels.items():
            page.lines += labelled(label, text, names)
        page.lines += see_also(self._related(header, function))
        return page

    def _errors(self, comment, names):
        """ERRORS. One without a reason of its own has that of error.h."""
        if not comment.errors() and not comment.passed_on():
            return []
        pairs = []
        for errno, reason in comment.errors():
            reason = reason or self.errors.get(errno)
            if not reason:
                raise HeaderError(f"{comment.where}: {errno} needs a reason, as error.h has none")
            pairs.append((f"\\fB{escape(errno)}\\fR", reason))
        lines = [".SH ERRORS"] + definitions(pairs, names)
        for item in comment.passed_on():
            lines += [".PP", mark(f"{sentence(item)[:-1]} are passed on unchanged.")]
        return lines

    def _related(self, header, function):
        group = next(names for _, names in self.groups if function.name in names)
        related = [(name, "3") for name in group if name != function.name]
        related += [(name, "3type") for name in sorted(set(function.types())) if name in self.types]
        if function.comment.errors() and ("axvcpu_last_error", "3") not in related:
            related.append(("axvcpu_last_error", "3"))
        overview = self._overview(header)
        return related + ([overview] if overview != ("axvcpu", "7") else []) + [("axvcpu", "7")]

    def type(self, header, item):
        page = Page(
            item.name, "3type", "Library Types", self._purpose(item.comment, item.name)
        )
        page.links = [macro for macro, name in header.inits if name == item.name]
        page.lines = library(self._include(header)) + code(item.code.rstrip().split("\n"))
        page.lines += [".SH DESCRIPTION"] + blocks(item.comment)
        if item.members:
            page.lines.append(".SH MEMBERS" if item.kind == "struct" else ".SH VALUES")
        text = item.comment.text()
        for entry in item.members:
            page.lines += member(entry)
            text += " " + entry.comment.text()
        constants = self._constants(header, text)
        if constants:
            page.lines += [".SH CONSTANTS"] + macros(constants)
        for label, text in item.comment.labels.items():
            page.lines += labelled(label, text)
        users = sorted(f.name for f in self.functions.values() if item.name in f.types())
        holders = sorted(
            name
            for name, other in self.types.items()
            if other is not item
            and re.search(r"\b(?:struct|enum) %s\b" % item.name, self._code(other))
        )
        held = [name for name in re.findall(r"(?:struct|enum) (\w+)", self._code(item))]
        held = sorted({name for name in held if name in self.types and name != item.name})
        related = [(name, "3") for name in users]
        related += [(name, "3type") for name in sorted(set(holders + held))]
        overview = self._overview(header)
        related += [overview] if overview != ("axvcpu", "7") else []
        page.lines += see_also(related + [("axvcpu", "7")])
        return page

    @staticmethod
    def _code(item):
        """The code of a type, and the comments of its members, which name enums."""
        return item.code + " ".join(entry.comment.text() for entry in item.members)

    def overview(self, header):
        """The page of a header: its comment, and what it declares."""
        name, section = self._overview(header)
        page = Page(name, section, "Overviews", self._purpose(header.comment, name))
        page.lines = library(self._include(header))[:-1]
        page.lines += [".SH DESCRIPTION"] + blocks(header.comment)
        if header.functions:
            page.lines += [".SH FUNCTIONS"] + self.list(header.functions, "3")
        if header.types:
            page.lines += [".SH TYPES"] + self.list(header.types, "3type")
        rest = [macro for macro in header.macros if macro.name not in self.shown]
        self.shown.update(macro.name for macro in rest)
        if rest:
            page.lines += [".SH CONSTANTS"] + macros(rest)
        page.lines += see_also([("axvcpu", "7")])
        return page

    def list(self, items, section):
        """Names with their purposes."""
        lines = []
        for item in items:
            lines += [".TP", f".BR {item.name} ({section})"]
            lines.append(mark(self._purpose(item.comment, item.name)))
        return lines

    def pages(self):
        pages = []
        for header in self.headers:
            pages += [self.function(header, item) for item in header.functions]
            pages += [self.type(header, item) for item in header.types]
        return pages + [self.overview(header) for header in self.headers if header.name in HEADERS]

    def function_lists(self):
        """For axvcpu(7): all functions by group."""
        lines = []
        for title, names in self.groups:
            lines += [f".SS {title}"] + self.list([self.functions[name] for name in names], "3")
        return lines
