"""The operator's settings: a typed model, and a loader for TOML, environment variables and secret files."""

from config.loader import Loaded, SettingsFault, load_settings
from config.model import Settings

__all__ = ["Loaded", "Settings", "SettingsFault", "load_settings"]
