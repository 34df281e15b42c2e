"""Where settings come from: a YAML file and environment variables, read so that every fault names its place.

Knows no setting: the tree is in settings.py.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from cluster.errors import SettingsError
from cluster.origins import variable_of

NOT_JSON = 'is no JSON; write a list as ["a", "b"] and a mapping as {"a": 1}'


class OnceLoader(yaml.SafeLoader):
    """Safe YAML in which a key stands once: of two, PyYAML takes the last and says nothing."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping as it is written, before merge keys add to it; raises ComposerError for a key that came before."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {key.value} stands there twice; remove one"
                raise yaml.composer.ComposerError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return node


def document(file: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds, empty for an empty file.

    Raises SettingsError naming the file when it cannot be read, is no YAML or holds something else.
    """
    try:
        content = yaml.load(file.read_text("utf-8"), OnceLoader)
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: this is no text in UTF-8; save it as UTF-8") from None
    except (OSError, yaml.YAMLError, ValueError) as error:  # a ValueError is a date that does not exist, and the like
        raise SettingsError(f"{file}: {complaint(error)}") from None
    if not isinstance(content or {}, dict) or not all(isinstance(key, str) for key in content or {}):
        raise SettingsError(f"{file}: this is no tree of settings; write lines such as `gpus_per_node: 1`")
    return content or {}


def complaint(error: Exception) -> str:
    """What is wrong with a file, on one line, after the number of the line where that is known."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())


class Variables(EnvSettingsSource):
    """Variables of the environment; one that should be JSON and is not is named, where pydantic names its branch."""

    def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:
        """As pydantic does; raises SettingsError naming the variable of a whole branch."""
        try:
            return super().prepare_field_value(field_name, field, value, value_is_complex)
        except ValueError:
            raise SettingsError(f"{self.env_prefix}{field_name.upper()} {NOT_JSON}") from None

    def explode_env_vars(self, field_name: str, field: FieldInfo, env_vars: Mapping[str, str | None]) -> dict[str, Any]:
        """As pydantic does; raises SettingsError naming the variable, which is known when each is tried alone."""
        for name, value in env_vars.items():
            try:
                super().explode_env_vars(field_name, field, {name: value})
            except ValueError:
                raise SettingsError(f"{name.upper()} {NOT_JSON}") from None
        return super().explode_env_vars(field_name, field, env_vars)


def known_variables(prefix: str, branches: Collection[str], beside: Collection[str]) -> None:
    """Refuse a variable that sets nothing: a slip of the pen must not pass in silence. `beside`: those that may be."""
    for name in os.environ:
        branch = name.removeprefix(prefix).split("__")[0].lower()
        if name.startswith(prefix) and name not in beside and branch not in branches:
            raise SettingsError(f"{name}: there is no setting {branch}; unset the variable or mend its name")


def first_fault(error: ValidationError) -> str:
    """The first of pydantic's complaints as `key: what is wrong`; our own ValueErrors begin with the key's rest."""
    fault = error.errors()[0]
    key = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        return f"{'.'.join(key)}: there is no such setting"
    if fault["type"] == "value_error":
        return ".".join([*key, str(fault["ctx"]["error"])])
    return f"{'.'.join(key)}: {fault['msg']}"


def giver(fault: str, prefix: str, file: Path) -> str:
    """What gave the value that a fault is about: a variable of its key or of a branch above it, else the file."""
    return variable_of(fault.partition(":")[0], prefix) or str(file)
