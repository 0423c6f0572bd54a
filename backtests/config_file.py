"""Read and write the TOML file of a configuration."""

import tomllib
from pathlib import Path
from typing import Any

from backtests.atomic import expanded, resolved
from backtests.config import RunConfig
from backtests.simulated import SIMULATED
from signals.errors import ConfigError


def read_config(path: Path) -> dict[str, Any]:
    """Return the data of a TOML file; a missing or invalid file raises ConfigError."""
    try:
        return tomllib.loads(expanded(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"expected a config file at {path}, but: {error.strerror}; check the path"
        ) from None
    except (ValueError, RecursionError) as error:  # a decoding error is a ValueError
        raise ConfigError(f"expected TOML in {path}, but: {error}; correct the file") from None


def value_of(text: str) -> Any:
    """Parse a text as a TOML value; return the text itself if the text is not valid TOML."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except (ValueError, RecursionError):  # as in read_config
        return text


def config_toml(config: RunConfig) -> str:
    """Return the configuration as TOML, which :func:`read_config` can read.

    Paths are absolute, so that the configuration can be used from another folder.
    """
    import tomlkit

    data = config.model_dump(mode="python", exclude_none=True)
    data |= {key: str(resolved(data[key])) for key in ("store", "labels") if key in data}
    return tomlkit.dumps(data)


def labelled_toml(config: RunConfig, *, simulated: bool) -> str:
    """Return the configuration as TOML; the first line says whether the history is simulated."""
    label = f"# {SIMULATED} history\n" if simulated else ""
    return label + config_toml(config)
