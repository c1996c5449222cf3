"""What people read in forms, in the REST API's description and in refusals goes through gettext, all over the code."""

import ast
from pathlib import Path

import netbox_peering_manager

PACKAGE = Path(netbox_peering_manager.__file__).parent
# Arguments that people read.
READ = ("label", "help_text", "verbose_name", "verbose_name_plural")


def words(node):
    """The text constants with letters that a value has, but those that something is called with, such as gettext."""
    match node:
        case ast.Constant(value=str(text)):
            return [text] if any(letter.isalpha() for letter in text) else []
        case ast.Dict():
            return [word for value in node.values for word in words(value)]
        case ast.List(elts=inner) | ast.Tuple(elts=inner) | ast.Set(elts=inner) | ast.JoinedStr(values=inner):
            return [word for each in inner for word in words(each)]
        case ast.IfExp():
            return words(node.body) + words(node.orelse)
        case ast.BinOp():
            return words(node.left) + words(node.right)
        case ast.Call(func=ast.Attribute(value=formatted)):
            return words(formatted)
    return []


def untranslated(source):
    """The texts that are read by people and not translated, in one module's source, each as "line: text"."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    shown = [keyword.value for call in calls for keyword in call.keywords if keyword.arg in READ]
    refusals = [call for call in calls if ast.unparse(call.func).endswith("ValidationError")]
    shown += [argument for call in refusals for argument in call.args]
    return [f"{value.lineno}: {word}" for value in shown for word in words(value)]


def test_every_text_that_people_read_can_be_translated():
    modules = (path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
    found = {str(path.relative_to(PACKAGE)): untranslated(path.read_text()) for path in modules}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_texts_that_are_not_translated_are_found():
    plain = """
field = Field(label="Name", help_text=f"Of {thing}", verbose_name=_("fine"))
raise ValidationError({"key": ["Wrong {x}.".format(x=x)]})
raise serializers.ValidationError(_("Fine {x}.").format(x=x), code="fine")
"""
    assert untranslated(plain) == ["2: Name", "2: Of ", "3: Wrong {x}."]
