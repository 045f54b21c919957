# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Reads the documentation comments and declarations of the public headers.

A comment, between /** and */, has paragraphs, lists ("- "), tables ("| a | b |") and code (indented
by four columns); then, each optional:

    @param NAME text
    @return item; item; ...      an item: "0", "VALUE: meaning", "-EINVAL: reason", "-EBADFD" (the
                                 reason is that of error.h), "errnos of the kernel", or one text
    States: text                 the states in which it may be called, and the state afterwards
    Threads: text                the threads that may call it
    Source: text                 the item of the axvcpu crate

The first sentence is the summary. The parser relies on the layout that clang-format gives to code.
"""

import re


class HeaderError(Exception):
    pass


LABELS = ("States", "Threads", "Source")
ERRNOS = r"-E[A-Z0-9]+(?:, -E[A-Z0-9]+)*"


class Comment:
    """A parsed comment: blocks of text, then its parts."""

    def __init__(self, raw, where):
        self.where = where
        self.blocks = []  # ("p", text), ("list", [text]), ("code", [line]), ("table", [[cell]])
        self.params = []  # (name, text)
        self.returns = []  # items
        self.labels = {}
        self._parse(raw)

    def _parse(self, raw):
        lines = [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in raw.split("\n")]
        text = "\n".join(lines).strip("\n")
        text = re.sub(r" +(?=(?:%s): )" % "|".join(LABELS), "\n", text)
        part = None  # what a continuation line belongs to
        words = []

        def end_part():
            if part:
                self._part(part, " ".join(words))

        blank = True
        for line in text.split("\n"):
            match = re.match(r"@(file|param|return)\b ?(.*)|(%s): (.*)" % "|".join(LABELS), line)
            if match and match.group(1) == "file":
                continue
            if match:
                end_part()
                part = match.group(1) or match.group(3)
                words = [match.group(2) or match.group(4) or ""]
            elif line.startswith("@"):
                raise HeaderError(f"{self.where}: unknown tag: {line}")
            elif not line:
                end_part()
                part = None
            elif part:
                words.append(line.strip())
            elif self.params or self.returns or self.labels:
                raise HeaderError(f"{self.where}: text after @param, @return or a label: {line}")
            else:
                self._text(line, blank)
            blank = not line
        end_part()

    def _text(self, line, blank):
        last = self.blocks[-1] if self.blocks and not blank else (None, None)
        if line.startswith("    ") and last[0] != "list":
            if self.blocks and self.blocks[-1][0] == "code":
                self.blocks[-1][1].extend([""] * blank + [line[4:]])
            else:
                self.blocks.append(("code", [line[4:]]))
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if last[0] != "table":
                self.blocks.append(("table", [cells]))
            elif not cells[0]:
                last[1][-1] = [(a + " " + b).strip() for a, b in zip(last[1][-1], cells)]
            elif not re.fullmatch("-+", cells[0]):
                last[1].append(cells)
        elif line.startswith("- "):
            if self.blocks and self.blocks[-1][0] == "list":
                self.blocks[-1][1].append(line[2:])
            else:
                self.blocks.append(("list", [line[2:]]))
        elif last[0] == "list":
            last[1][-1] += " " + line.strip()
        elif last[0] == "p":
            self.blocks[-1] = ("p", last[1] + " " + line)
        else:
            self.blocks.append(("p", line))

    def _part(self, part, text):
        text = re.sub(r"\s+", " ", text).strip()
        if part == "param":
            name, _, text = text.partition(" ")
            self.params.append((name, text.strip()))
        elif part == "return":
            self.returns = [item.strip() for item in text.rstrip(".").split("; ")]
            for item in self.returns:
                if item.startswith("-E") and not re.fullmatch(f"{ERRNOS}(: .*)?", item):
                    raise HeaderError(f"{self.where}: not of the form -ERRNO: reason: {item}")
        else:
            self.labels[part] = text

    @property
    def summary(self):
        """The first sentence, without its full stop."""
        text = self.blocks[0][1] if self.blocks and self.blocks[0][0] == "p" else ""
        return re.split(r"(?<=[^.])\.(?: |$)", text, maxsplit=1)[0]

    def errors(self):
        """A list of (errno, reason); the reason is "" if it is that of error.h."""
        matches = [re.fullmatch(f"({ERRNOS})(?:: (.*))?", item) for item in self.returns]
        return [
            (errno, match.group(2) or "")
            for match in matches
            if match
            for errno in match.group(1).split(", ")
        ]

    def passed_on(self):
        """Where errnos that the library only passes on come from."""
        return [item for item in self.returns if item.startswith("errnos of ")]

    def results(self):
        """The items that are not errors."""
        return [
            item
            for item in self.returns
            if not item.startswith("-E") and not item.startswith("errnos of ")
        ]

    def text(self):
        """All of it, for a look whether a name occurs."""
        texts = [str(block[1]) for block in self.blocks]
        texts += [text for _, text in self.params] + self.returns + list(self.labels.values())
        return " ".join(texts)


class Macro:
    def __init__(self, name, args, body, comment):
        self.name, self.args, self.body, self.comment = name, args, body, comment

    @property
    def shown(self):
        return f"{self.name}({self.args})" if self.args else self.name


class Function:
    def __init__(self, code, comment, where):
        code = re.sub(r"\bAXVCPU_API(_HOT)?\b|\bAXVCPU_PRINTF\([^)]*\)", "", code)
        code = re.sub(r"\s+", " ", code.replace("static inline", "")).strip()
        match = re.fullmatch(r"(.*?)(\w+)\((.*)\)", code)
        if not match:
            raise HeaderError(f"{where}: not a function: {code}")
        self.type, self.name, params = match.groups()
        self.type = self.type.strip()
        self.params = [] if params == "void" else split_commas(params)
        self.names = [declared_name(param) for param in self.params]
        self.comment = comment

    def types(self):
        """The structs and enums of the prototype, by name."""
        return re.findall(r"(?:struct|enum) (\w+)", " ".join([self.type] + self.params))


class Member:
    """A member of a struct or union, or an enumerator."""

    def __init__(self, name, code, comment):
        self.name, self.code, self.comment = name, code, comment
        self.also = []  # code of members that share the comment


class Type:
    def __init__(self, kind, name, code, comment, where):
        self.kind, self.name, self.comment = kind, name, comment
        self.code = strip_comments(code)
        body = code[code.index("{") + 1 : code.rindex("}")]
        if kind == "enum":
            self.members = self._enumerators(body, where)
        else:
            self.members = self._members(body, where)

    @staticmethod
    def _enumerators(body, where):
        return [
            Member(match.group(2), match.group(2), Comment(match.group(1), where))
            for match in re.finditer(r"/\*\*(.*?)\*/\s*(\w+)", body, re.S)
        ]

    @staticmethod
    def _members(body, where):
        members = []
        stack = []  # of each open struct or union, the index of its first member
        comment = None
        code = ""
        for token in re.findall(r"/\*.*?\*/|[^{};/]+|[{};]|/", body, re.S):
            if token.startswith("/*"):
                comment = Comment(token[3:-2], where) if token.startswith("/**") else None
            elif token == "{":
                stack.append(len(members))
                code, comment = "", None
            elif token == "}":
                first = stack.pop()
                code = "} " + str(first)
            elif token == ";":
                code = re.sub(r"\s+", " ", code).strip()
                closed = re.fullmatch(r"\} (\d+) ?(\w*)", code)
                if closed and closed.group(2):
                    for member in members[int(closed.group(1)) :]:
                        member.name = closed.group(2) + "." + member.name
                elif not closed:
                    if comment:
                        members.append(Member(declared_name(code), code, comment))
                    elif members and "(*" in code and "(*" in members[-1].code:
                        members[-1].also.append(code)
                code, comment = "", None
            else:
                code += token
        return members


class Header:
    """A header: its own comment, macros, types and functions, in the order of the file."""

    def __init__(self, path, name):
        self.name = name
        self.comment = None
        self.macros, self.types, self.functions = [], [], []
        self.inits = []  # the macros that initialise a type: (macro, type)
        with open(path, encoding="utf-8") as file:
            self._parse(file.read())
        if not self.comment:
            raise HeaderError(f"{name}: there is no @file comment")

    def _parse(self, text):
        comment = None
        position = 0
        while position < len(text):
            where = f"{self.name}:{text.count(chr(10), 0, position) + 1}"
            rest = text[position:]
            match = re.match(r"/\*(\*?)(.*?)\*/\n?", rest, re.S)
            if match:
                comment = Comment(match.group(2), where) if match.group(1) else None
                if comment and "@file" in match.group(2):
                    self.comment, comment = comment, None
            else:
                match = re.match(r"#define (\w+)(?:\(([^)]*)\))?((?:[^\n]*\\\n)*[^\n]*)\n", rest)
                if match:
                    self._macro(match, comment)
                    comment = comment if text[position + match.end()] == "#" else None
                else:
                    match, comment = self._declaration(rest, comment, where)
            position += match.end()

    def _macro(self, match, comment):
        name, args, body = match.groups()
        init = re.fullmatch(r" AXVCPU_INIT\(struct (\w+)\)", body)
        if init:
            self.inits.append((name, init.group(1)))
        elif comment:
            self.macros.append(Macro(name, args, body.replace("\\\n", " "), comment))

    def _declaration(self, rest, comment, where):
        match = re.match(r"(struct|enum) (\w+) \{.*?\};\n", rest, re.S)
        if match:
            if not comment:
                raise HeaderError(f"{where}: {match.group(2)} has no comment")
            kind, name = match.groups()
            code = self._expand(match.group(0))
            self.types.append(Type(kind, name, code, comment, where))
            return match, None
        match = re.match(r"(static inline [^{]*\))\n\{.*?\n\}\n", rest, re.S)
        match = match or re.match(r"(AXVCPU_API[^;]*);\n", rest)
        if match:
            if not comment:
                raise HeaderError(f"{where}: a function has no comment")
            self.functions.append(Function(match.group(1), comment, where))
            return match, None
        return re.match(r"[^\n]*\n?", rest), None

    def _expand(self, code):
        """Expands an enum of the form { PREFIX_EXTENSIONS(ENUMERATOR) }."""
        match = re.search(r"\{ (\w+_EXTENSIONS)\(\w+\) \}", code)
        if not match:
            return code
        prefix = match.group(1)[: -len("EXTENSIONS")]
        names = re.findall(r"X\((\w+),", self._find_macro(match.group(1)).body)
        lines = "".join(f"\t{prefix}{name},\n" for name in names)
        return code[: match.start()] + "{\n" + lines + "}" + code[match.end() :]

    def _find_macro(self, name):
        return next(macro for macro in self.macros if macro.name == name)


def declared_name(code):
    """The name that a parameter or member declares; "..." for variable arguments."""
    match = re.search(r"\(\*(\w+)\)|(\w+)(?:\[\w*\])*$|^(\.\.\.)$", code)
    return next(filter(None, match.groups()))


def split_commas(text):
    """Splits at commas that are not in parentheses."""
    return [part.strip() for part in re.findall(r"(?:[^,()]|\([^)]*\))+", text)]


def strip_comments(code):
    code = re.sub(r"[ \t]*/\*.*?\*/[ \t]*\n", "", code, flags=re.S)
    code = re.sub(r",\n\t\t+ *", ",\n\t\t\t", code)
    return re.sub(r"\n{2,}", "\n", code)
