"""The string expressions of a source file: literals and templates, joined where they are concatenated.

Read from the syntax tree that tree-sitter makes, in ten languages. Their grammars name the parts of a string so alike
that one set of rules reads them all; what a language does otherwise is said where it is read.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from tree_sitter import Language, Node, Parser, Query, QueryCursor

# Suffix → language, package of its grammar, function in it.
_GRAMMARS = {
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), ("JavaScript", "javascript", "language")),
    **dict.fromkeys((".ts", ".mts", ".cts"), ("TypeScript", "typescript", "language_typescript")),
    ".tsx": ("TypeScript", "typescript", "language_tsx"),
    ".py": ("Python", "python", "language"),
    **dict.fromkeys((".rb", ".rake"), ("Ruby", "ruby", "language")),
    ".go": ("Go", "go", "language"),
    ".java": ("Java", "java", "language"),
    **dict.fromkeys((".kt", ".kts"), ("Kotlin", "kotlin", "language")),
    ".php": ("PHP", "php", "language_php"),
    ".cs": ("C#", "c_sharp", "language"),
    ".rs": ("Rust", "rust", "language"),
}

_STRINGS = frozenset(
    {"string", "template_string", "string_literal", "raw_string_literal", "multiline_string_literal", "heredoc_body"}
    | {"interpreted_string_literal", "verbatim_string_literal", "interpolated_string_expression", "encapsed_string"}
    | {"nowdoc_body"}
)
_JOINED = frozenset({"concatenated_string", "chained_string"})  # "a" "b", without an operator
_BINARY = frozenset({"binary_expression", "binary_operator", "binary"})
_AROUND = frozenset({"parenthesized_expression", "parenthesized_statements", "heredoc", "nowdoc"})
_CONTENT = frozenset(
    {"string_fragment", "string_content", "heredoc_content", "interpreted_string_literal_content", "nowdoc_string"}
    | {"raw_string_literal_content", "multiline_string_fragment", "string_literal_content", "raw_string_content"}
)
_ESCAPES = frozenset({"escape_sequence", "escape_interpolation"})
_DELIMITERS = frozenset(
    {
        "string_start",
        "string_end",
        "interpolation_start",
        "interpolation_quote",
        "heredoc_start",
        "heredoc_end",
        "raw_string_start",
    }
    | {"raw_string_end", "string_literal_encoding"}
)
_NUMBERS = frozenset(
    {"number", "integer", "float", "int_literal", "float_literal", "decimal_integer_literal", "number_literal"}
    | {"integer_literal", "real_literal"}
)
_AUGMENTED = frozenset(
    {"augmented_assignment_expression", "augmented_assignment", "operator_assignment", "assignment_statement"}
    | {"assignment_expression", "assignment", "compound_assignment_expr"}
)
_ARGUMENTS = frozenset({"arguments", "argument_list", "argument", "value_arguments", "value_argument", "token_tree"})
_CALLS = frozenset(
    {"call_expression", "call", "method_invocation", "function_call_expression", "member_call_expression"}
    | {"scoped_call_expression", "invocation_expression", "macro_invocation", "object_creation_expression"}
)
_MEMBERS = frozenset(
    {"attribute", "member_expression", "member_access_expression", "navigation_expression", "field_expression"}
    | {"selector_expression", "method_invocation", "call"}
)

_FORMATTERS = frozenset(
    {"format", "Format", "formatted", "sprintf", "vsprintf", "printf", "Sprintf", "Fprintf", "AppendFormat", "%"}
)
_CHANGERS = frozenset({"replace", "Replace", "replaceAll", "replace_all", "str_replace", "strtr", "gsub", "sub"})
_APPENDERS = frozenset(
    {"append", "Append", "appendLine", "AppendLine", "concat", "push", "push_str", "write", "WriteString", "write_str"}
    | {"add", "Add", "+=", ".=", "<<"}
)
# Template tags that give back text; any other tag is taken for a client's, which binds the values.
_TEXT_TAGS = frozenset({"raw", "dedent", "outdent", "stripIndent", "unindent", "html", "css", "gql", "graphql"})
# Entity Framework's methods that take an interpolated string apart and bind the values.
_BINDING_METHODS = re.compile(r"(FromSql|ExecuteSql|SqlQuery)(Interpolated)?(Async)?")


# What is done with a string: its directives are filled in, it is changed, it is put at the end of another.
Use = Literal["", "formatted", "changed", "appended"]


class Fragment(NamedTuple):
    """A part of a string expression."""

    text: str  # what the program reads; of a hole its source
    row: int  # 0-based line of the file where it begins
    hole: Literal["", "value", "code"]  # "value": the client binds it as a parameter; "code": it becomes text


class Expression(NamedTuple):
    """A string as the program puts it together."""

    fragments: tuple[Fragment, ...]
    use: Use
    user: str  # the function, method or operator that takes it


def language(suffix: str) -> str | None:
    """Return the name of the language whose files end in *suffix*, None if it is not read here."""
    grammar = _GRAMMARS.get(suffix)
    return grammar[0] if grammar else None


def read(suffix: str, source: bytes, is_wanted: Callable[[bytes], bool]) -> Iterator[Expression]:
    """Yield the string expressions of *source* in its order, if any literal in one, as written, is wanted."""
    parser, query = _tools(suffix)
    strings = QueryCursor(query).captures(parser.parse(source).root_node).get("string", [])
    read: set[int] = set()
    for node in sorted(strings, key=lambda node: node.start_byte):
        if node.id not in read and is_wanted(_source(node)):
            yield _expression(_root(node), read)


@functools.cache
def _tools(suffix: str) -> tuple[Parser, Query]:
    _, package, function = _GRAMMARS[suffix]
    grammar = Language(getattr(importlib.import_module(f"tree_sitter_{package}"), function)())
    known = [f"({kind})" for kind in sorted(_STRINGS) if grammar.id_for_node_kind(kind, True)]
    return Parser(grammar), Query(grammar, f"[{' '.join(known)}] @string")


def _source(node: Node) -> bytes:
    return node.text or b""


def _text(node: Node) -> str:
    return _source(node).decode(errors="replace")


def _root(node: Node) -> Node:
    """Climb to the whole expression that *node* is concatenated into."""
    parent = node.parent
    if parent is not None and parent.parent is not None and _is_concat_macro(parent.parent):
        node, parent = parent.parent, parent.parent.parent
    while parent is not None and (parent.type in _AROUND or _is_concatenation(parent)):
        node, parent = parent, parent.parent
    return node


def _is_concatenation(node: Node) -> bool:
    if node.type in _BINARY:
        return any(child.type in ("+", ".") for child in node.children)
    return node.type in _JOINED


def _is_concat_macro(node: Node) -> bool:
    return node.type == "macro_invocation" and _source(node).startswith(b"concat!")


def _expression(root: Node, read: set[int]) -> Expression:
    """Return the expression; the ids of its strings are added to *read*."""
    user = _user(root)
    fragments = tuple(_fragments(root, read))
    if user == "trimMargin":
        fragments = tuple(fragment._replace(text=_MARGIN.sub("\n", fragment.text)) for fragment in fragments)
    return Expression(fragments=fragments, use=_use(user), user=user)


def _use(user: str) -> Use:
    if user in _FORMATTERS:
        return "formatted"
    if user in _CHANGERS:
        return "changed"
    return "appended" if user in _APPENDERS else ""


_MARGIN = re.compile(r"\n[ \t]*\|")


def _user(node: Node) -> str:
    """Name the function, method or operator that takes the string *node*; "" for none."""
    child, parent = node, node.parent
    while parent is not None and parent.type in _ARGUMENTS | {"expression_list"}:
        child, parent = parent, parent.parent
    if parent is None:
        return ""
    if parent.type in _BINARY | _AUGMENTED:
        operators = [part.type for part in parent.children if not part.is_named]
        is_first = parent.children[0] == child
        return next((sign for sign in operators if sign in ("+=", ".=", "<<") or (sign == "%" and is_first)), "")
    if parent.type in _CALLS and child != node:
        return _last_word(_source(parent)[: child.start_byte - parent.start_byte])
    if parent.type in _MEMBERS:
        return _last_word(_source(parent.children[-1]) if parent.type not in _CALLS else _method(parent))
    return ""


def _method(call: Node) -> bytes:
    name = call.child_by_field_name("name") or call.child_by_field_name("method")
    return _source(name) if name else b""


def _last_word(source: bytes) -> str:
    words = re.findall(r"\w+", source.decode(errors="replace"))
    return words[-1] if words else ""


# What a string holds


def _fragments(root: Node, read: set[int]) -> Iterator[Fragment]:
    pending = [root]  # a stack and no recursion: generated code concatenates thousands of strings
    while pending:
        node = pending.pop()
        parts = [child for child in node.named_children if not child.is_extra and child.type not in _DELIMITERS]
        if node.type in _AROUND or _is_concatenation(node):
            pending += reversed(parts)
        elif _is_concat_macro(node):
            pending += reversed(parts[-1].named_children)
        elif node.type in _STRINGS:
            read.add(node.id)
            yield from _string(node, parts)
        else:
            yield Fragment(_text(node), _row(node), "" if node.type in _NUMBERS else "code")


def _row(node: Node) -> int:
    return node.start_point.row


def _string(node: Node, parts: Sequence[Node]) -> Iterator[Fragment]:
    if node.type == "verbatim_string_literal":
        yield Fragment(_text(node)[2:-1].replace('""', '"'), _row(node), "")
    opening = _text(node.children[0]) if node.children else ""
    binder = _binder(node, opening)
    for before, part, after in zip([None, *parts], parts, [*parts[1:], None], strict=False):
        if part.type in _CONTENT:
            if not _is_bare_dollar(part, after):
                yield from _content(part, opening, after_dollar=_is_bare_dollar(before, part))
        elif part.type in _ESCAPES:
            yield Fragment(_unescape(_text(part)), _row(part), "")
        elif [child.type for child in part.named_children] == ["character_literal"]:  # Kotlin's ${'$'}
            yield Fragment(_text(part)[len("${'") : -len("'}")], _row(part), "")
        else:
            is_bound = binder is not None and not _composes(part, binder)
            yield Fragment(_text(part), _row(part), "value" if is_bound else "code")


_NAME = re.compile(r"[^\W\d]\w*")


def _is_bare_dollar(part: Node | None, after: Node | None) -> bool:
    """Whether *part* is the sign of a "$name" in *after*: so does Kotlin's grammar read it inside one line."""
    if part is None or after is None or part.type != after.type or part.type != "string_content":
        return False
    return _source(part) == b"$" and _NAME.match(_text(after)) is not None


def _content(node: Node, opening: str, *, after_dollar: bool) -> Iterator[Fragment]:
    text = _text(node)
    if node.children:
        yield from _content_with_escapes(node)
        return
    if after_dollar and (name := _NAME.match(text)):
        yield Fragment(f"${name[0]}", _row(node), "code")
        text = text[name.end() :]
    if opening.startswith("$"):  # C#, interpolated
        text = text.replace('""', '"') if "@" in opening else text
        text = text.replace("{{", "{").replace("}}", "}") if opening.count("$") == 1 else text
    elif opening == "'":  # Ruby
        text = re.sub(r"\\(['\\])", r"\1", text)
    elif node.type == "multiline_string_fragment":  # Java
        text = re.sub(r"\\(?:u+\w{4}|[0-7]{1,3}|.)", lambda escape: _unescape(escape[0]), text, flags=re.DOTALL)
    yield Fragment(text, _row(node), "")


def _content_with_escapes(node: Node) -> Iterator[Fragment]:
    """Python's grammar puts the escapes into the content, with the text between them."""
    source, position, row = _source(node), 0, _row(node)
    for child in node.children:
        start, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
        yield Fragment(source[position:start].decode(errors="replace"), row, "")
        yield Fragment(_unescape(_text(child)), _row(child), "")
        position, row = end, child.end_point.row
    yield Fragment(source[position:].decode(errors="replace"), row, "")


_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b", "s": " "}
_CODE = re.compile(r"[xuU]+\{?([0-9a-fA-F]{1,8})\}?|([0-7]{1,3})")


def _unescape(written: str) -> str:
    """Return what an escape sequence stands for; languages agree but for letters that SQL has no use of."""
    if written in ("{{", "}}"):
        return written[0]
    body = written[1:]
    if body[:1] in ("\n", "\r"):
        return ""
    if code := _CODE.fullmatch(body):
        number = int(code[1], 16) if code[1] else int(code[2], 8)
        return chr(number) if number <= 0x10FFFF else body
    return _CONTROLS.get(body, body)


# Who binds the values of a template


def _binder(node: Node, opening: str) -> str | None:
    """Name who binds what is put into the string *node* as parameters; None where it becomes text."""
    if node.type == "template_string":
        call = node.parent
        if call is None or call.type != "call_expression" or call.child_by_field_name("arguments") != node:
            return None
        tag = _text(call.child_by_field_name("function") or call)
        return None if _last_word(tag.encode()) in _TEXT_TAGS else tag
    if node.type == "interpolated_string_expression":
        return "EF" if _BINDING_METHODS.fullmatch(_user(node)) else None
    return "t" if node.type == "string" and re.fullmatch("r?tr?", opening.rstrip("'\""), re.IGNORECASE) else None


def _composes(hole: Node, binder: str) -> bool:
    """Whether *hole* holds more SQL (a nested template, or a call of the tag's own library) instead of a value."""
    library = _first_word(binder)
    pending = [hole]
    while pending:
        node = pending.pop()
        if node.type in ("template_string", "format_specifier"):
            return True
        if node.type == "call_expression" and _first_word(_text(node)) in (library, "sql"):
            return True
        pending += node.named_children
    return False


def _first_word(source: str) -> str:
    return re.split(r"\W", source.lower(), maxsplit=1)[0]
