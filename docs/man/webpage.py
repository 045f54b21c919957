# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Makes HTML of manual pages that use the macros below and no others."""

import html
import re

STYLE = """\
body { max-width: 50em; margin: 1em auto; padding: 0 1em; }
body { font-family: sans-serif; line-height: 1.4; }
pre, code, b { font-family: monospace; }
pre { background: #f4f4f4; padding: 0.5em; overflow-x: auto; }
h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin-top: 1.5em; } h3 { font-size: 1em; }
dt { margin-top: 0.5em; }
"""

ESCAPES = {
    "\\e": "\\",
    "\\-": "-",
    "\\&": "",
    "\\(ti": "~",
    "\\(ha": "^",
    "\\(ga": "`",
    "\\(aq": "'",
    "\\(bu": "\u2022",
    "\\(->": "\u2192",
}
FONTS = {"B": "b", "I": "i", "R": "", "P": ""}


class RoffError(Exception):
    pass


def file_name(name, section):
    return f"{name}.{section}.html"


def inline(text, known):
    """A line of text: fonts become elements, references links."""
    out = ""
    element = ""
    for piece in re.split(r"(\\f[BIRP]|\\\(..|\\.)", text):
        if re.fullmatch(r"\\f[BIRP]", piece):
            out += f"</{element}>" if element else ""
            element = FONTS[piece[2]]
            out += f"<{element}>" if element else ""
        elif piece.startswith("\\"):
            if piece not in ESCAPES:
                raise RoffError(f"unknown escape {piece}: {text}")
            out += html.escape(ESCAPES[piece], quote=False)
        else:
            out += html.escape(piece, quote=False)
    out += f"</{element}>" if element else ""

    def link(match):
        name, section = html.unescape(match.group(1)), match.group(2)
        if (name, section) not in known:
            return match.group(0)
        return f'<a href="{file_name(name, section)}">{match.group(0)}</a>'

    return re.sub(r"<b>([\w.-]+)</b>\((\d\w*)\)", link, out)


def arguments(text):
    """The arguments of a macro: words, or in quotes."""
    return [quoted or word for quoted, word in re.findall(r'"([^"]*)"|(\S+)', text)]


def fonts(macro, words):
    """The text of .B, .I, .BR and their like, with escapes for the fonts."""
    if len(macro) == 1:
        return f"\\f{macro}{' '.join(words)}\\fR"
    return "".join(f"\\f{macro[i % 2]}{word}\\fR" for i, word in enumerate(words))


class Converter:
    """Reads a page line by line; 'open' are the elements that are open, outermost first."""

    def __init__(self, known):
        self.known = known
        self.out = []
        self.open = []
        self.term = False  # the next line of text is the term of a list
        self.literal = False

    def close(self, until=0):
        while len(self.open) > until:
            self.out.append(f"</{self.open.pop()}>")

    def start(self, element):
        self.out.append(f"<{element}>")
        self.open.append(element)

    def _level(self):
        """Where the innermost indented block (.RS) begins."""
        return max((i + 1 for i, name in enumerate(self.open) if name == "div"), default=0)

    def _item(self, kind):
        """Makes a list of this kind the innermost element."""
        level = self._level()
        if len(self.open) > level and self.open[level] == kind:
            self.close(level + 1)
        else:
            self.close(level)
            self.start(kind)

    def text(self, line):
        if self.term:
            self.term = False
            constant = re.match(r"\\fB(AX\w+)", line)
            anchor = f' id="{constant.group(1)}"' if constant else ""
            self.out.append(f"<dt{anchor}>{inline(line, self.known)}</dt>")
            self.start("dd")
            return
        if not self.literal and not (self.open and self.open[-1] in ("p", "dd", "li")):
            self.start("p")
        self.out.append(inline(line, self.known))

    def macro(self, name, rest):
        words = arguments(rest)
        if name in ("B", "I", "BR", "RB", "IR", "RI", "BI", "IB"):
            self.text(fonts(name, words))
        elif name in ("SH", "SS"):
            self.close()
            tag = "h2" if name == "SH" else "h3"
            title = " ".join(words)
            self.out.append(f'<{tag} id="{title.replace(" ", "-")}">{html.escape(title)}</{tag}>')
        elif name == "PP":
            self.close(self._level())
        elif name == "TP":
            self._item("dl")
            self.term = True
        elif name == "TQ":
            # Another term in front of the description that the previous one has begun.
            self.out.pop()
            self.open.pop()
            self.term = True
        elif name == "IP" and words:
            self._item("ol" if words[0][0].isdigit() else "ul")
            self.start("li")
        elif name == "IP":
            self.out.append("<br><br>")
        elif name == "RS":
            self.start("div")
        elif name == "RE":
            self.close(self._level() - 1)
        elif name in ("EX", "nf"):
            if self.open and self.open[-1] == "p":
                self.close(len(self.open) - 1)
            self.start("pre")
            self.literal = True
        elif name in ("EE", "fi"):
            self.close(len(self.open) - 1)
            self.literal = False
        elif name == "br":
            self.out.append("<br>")
        else:
            raise RoffError(f"unknown macro .{name}")

    def convert(self, text):
        for line in text.rstrip("\n").split("\n"):
            if re.match(r'\.(\\"|TH|nh|nr|ad)', line):
                continue
            match = re.match(r"\.([A-Za-z]+) ?(.*)", line)
            if match:
                self.macro(*match.groups())
            elif line.startswith("."):
                raise RoffError(f"not a macro: {line}")
            elif not line and not self.literal:
                raise RoffError("an empty line; use .PP")
            else:
                self.text(line)
        self.close()
        return "\n".join(self.out).replace("<pre>\n", "<pre>").replace("\n</pre>", "</pre>")


def document(title, body):
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n</body>\n</html>\n"
    )


def page(name, section, text, known):
    """A page as HTML; 'known' are the (name, section) of all pages."""
    title = f"{name}({section})"
    body = f'<p><a href="index.html">libaxvcpu</a></p>\n<h1>{html.escape(title)}</h1>\n'
    return document(title, body + Converter(known).convert(text))


def index(title, parts):
    """The list of all pages; 'parts' are (heading, [(name, section, purpose)])."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    for heading, entries in parts:
        body.append(f"<h2>{html.escape(heading)}</h2>\n<ul>")
        for name, section, purpose in entries:
            link = f'<a href="{file_name(name, section)}">{name}({section})</a>'
            body.append(f"<li>{link}: {inline(purpose, set())}</li>")
        body.append("</ul>")
    return document(title, "\n".join(body))
