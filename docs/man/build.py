# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Makes the manual pages and their HTML: build.py SOURCE_DIRECTORY OUTPUT_DIRECTORY

Pages of functions, types and headers are made from the comments of include/axvcpu/*.h (headers.py,
roff.py). Those in this directory (*.1, *.7) are written by hand; "@VERSION@" and "@FUNCTIONS@" are
replaced in them. HTML is made of both (webpage.py). The same sources give the same bytes.
"""

import os
import re
import shutil
import sys

sys.dont_write_bytecode = True

import roff  # noqa: E402
import webpage  # noqa: E402
from headers import Header, HeaderError  # noqa: E402


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read_headers(source):
    """All headers, and the names of those that axvcpu.h includes."""
    include = os.path.join(source, "include", "axvcpu")
    names = sorted(name for name in os.listdir(include) if name.endswith(".h"))
    umbrella = re.findall(r"#include <axvcpu/(\w+\.h)>", read(os.path.join(include, "axvcpu.h")))
    headers = [Header(os.path.join(include, name), name) for name in names]
    return headers, umbrella + ["axvcpu.h"]


def read_version(source):
    text = read(os.path.join(source, "include", "axvcpu", "axvcpu.h"))
    return ".".join(re.findall(r"#define AXVCPU_VERSION_\w+ (\d+)", text))


def read_groups(source):
    """(title, [name]) of each line "title: name..."; a line that begins with a blank goes on."""
    text = read(os.path.join(source, "docs", "man", "groups"))
    text = re.sub(r"^#.*\n", "", text, flags=re.M)
    text = re.sub(r"\n\s+", " ", text)
    lines = [line.partition(": ") for line in text.strip().split("\n")]
    return [(title, names.split()) for title, _, names in lines]


def written_by_hand(source, version, functions):
    """(name, section, purpose, text) of each page in this directory."""
    directory = os.path.join(source, "docs", "man")
    for file in sorted(os.listdir(directory)):
        name, _, section = file.rpartition(".")
        if not section.isdigit():
            continue
        text = read(os.path.join(directory, file)).replace("@VERSION@", version)
        text = text.replace("@FUNCTIONS@", "\n".join(functions))
        purpose = re.search(r"^\.SH NAME\n.* \\- (.*)$", text, re.M).group(1)
        yield name, section, purpose, text


def build(source, output):
    version = read_version(source)
    headers, umbrella = read_headers(source)
    writer = roff.Writer(headers, read_groups(source), umbrella)
    made = writer.pages()
    unused = {macro.name for macro in writer.macros} - writer.shown
    if unused:
        raise HeaderError(f"on no page: {sorted(unused)}")

    texts = {(page.name, page.section): page.text(version) for page in made}
    purposes = {(page.name, page.section): roff.mark(page.purpose) for page in made}
    for name, section, purpose, text in written_by_hand(source, version, writer.function_lists()):
        texts[name, section] = text
        purposes[name, section] = purpose

    for (name, section), text in texts.items():
        write(os.path.join(output, f"man{section[0]}", f"{name}.{section}"), text)
        html = webpage.page(name, section, text, texts)
        write(os.path.join(output, "html", webpage.file_name(name, section)), html)
    for page in made:
        for link in page.links:
            path = os.path.join(output, f"man{page.section[0]}", f"{link}.{page.section}")
            write(path, f".so {page.path}\n")

    def entries(keys):
        return [(name, section, purposes[name, section]) for name, section in keys]

    parts = [("Overviews", entries(sorted(key for key in texts if key[1] == "7")))]
    parts += [("Commands", entries(sorted(key for key in texts if key[1] == "1")))]
    parts += [(title, entries((name, "3") for name in names)) for title, names in writer.groups]
    parts += [("Types", entries(sorted(key for key in texts if key[1] == "3type")))]
    write(
        os.path.join(output, "html", "index.html"), webpage.index(f"libaxvcpu {version}", parts)
    )


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: build.py SOURCE_DIRECTORY OUTPUT_DIRECTORY")
    source, output = sys.argv[1:]
    new = output + ".new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        build(source, new)
    except (HeaderError, webpage.RoffError) as error:
        sys.exit(f"build.py: {error}")
    shutil.rmtree(output, ignore_errors=True)
    os.rename(new, output)


if __name__ == "__main__":
    main()
