"""Hooks of mkdocs: links to files outside of docs/ lead to the repository, if its address is known, and are plain text otherwise."""

import os
import posixpath
import re

REPOSITORY = os.environ.get("KUBELB_REPOSITORY_URL", "").rstrip("/")
LINK = re.compile(r"\[([^\]]*)\]\((\.\.?/[^)\s]*)\)")
DIRECTIVE = re.compile(r"^ *<!-- .*? -->\n(?=( *)```)", re.MULTILINE)


def on_page_markdown(markdown, page, **_):
    folder = posixpath.dirname(page.file.src_path)

    def replace(match):
        text, target = match.groups()
        path = posixpath.normpath(posixpath.join("docs", folder, target.split("#")[0]))
        if path.startswith("docs/"):
            inside = path[len("docs/"):]
            is_page = os.path.isfile(os.path.join("docs", inside))
            return match.group(0) if is_page else outside(text, path)
        return outside(text, path)

    return LINK.sub(replace, DIRECTIVE.sub("", markdown))


def outside(text, path):
    return f"[{text}]({REPOSITORY}/blob/main/{path})" if REPOSITORY else f"{text} (`{path}`)"
