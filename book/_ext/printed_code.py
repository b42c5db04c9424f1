"""Show Python code that a cell prints as the code that it is: coloured, and never wrapped."""

from __future__ import annotations

import ast

from docutils import nodes
from sphinx.application import Sphinx

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_code(text: str) -> bool:
    """Say whether a printed text is Python that defines something, and nothing else."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):  # ValueError: a null character
        return False
    return any(isinstance(statement, DEFINITIONS) for statement in body)


def name_the_language(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give printed code the language by which the highlighter and the style sheet know it."""
    for block in doctree.findall(nodes.literal_block):
        if "stream" in block["classes"] and is_code(block.astext()):
            block["language"] = "python"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", name_the_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
