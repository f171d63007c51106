"""What JupyterLab's own settings say about the daemon that is started from here."""

from pathlib import Path

import json5

#: Each setting with its variable, its default and its bounds: those of ``schema/settings.json``.
BUSY = {
    "busyCpuPercent": ("HITCH_BUSY_CPU_PERCENT", 5, 1, 10_000),
    "busyKilobytesPerSecond": ("HITCH_BUSY_KB_PER_SECOND", 100, 1, 10_000_000),
}


def settings_folder(server_app):
    """Where JupyterLab keeps a person's settings; None where this server runs no JupyterLab."""
    for app in server_app.extension_manager.extension_apps.get("jupyterlab", ()):
        folder = getattr(app, "user_settings_dir", "")
        if folder:
            return Path(folder)
    return None


def busy_variables(folder):
    """From when on processes count as work. What a person left as it is stays with this server's environment."""
    said = _read(folder) if folder is not None else {}
    variables = {}
    for name, (variable, default, least, most) in BUSY.items():
        value = said.get(name, default)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and least <= value <= most and value != default:
            variables[variable] = f"{value:g}" if isinstance(value, float) else str(value)
    return variables


def _read(folder):
    path = folder / "jupyterlab-hitch" / "settings.jupyterlab-settings"
    try:
        said = json5.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # JupyterLab says of a file that cannot be read that it is ignored, and so it is here.
        return {}
    return said if isinstance(said, dict) else {}
