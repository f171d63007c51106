"""Hitch in a Jupyter server: the way from JupyterLab to Hitch's daemon, and nothing else.

The server extension forwards `{base_url}hitch/api/...` and `{base_url}hitch/clusters/...` to the daemon of the user who
runs the Jupyter server. It adds the daemon's bearer for pages, which the browser never holds and which cannot spend, and
says which folder this server shows: no copy of files that a page asks for leaves it. It decides nothing.
"""

__version__ = "0.1.0"


def _jupyter_labextension_paths():
    return [{"src": "labextension", "dest": "jupyterlab-hitch"}]


def _jupyter_server_extension_points():
    return [{"module": "jupyterlab_hitch"}]


def _load_jupyter_server_extension(server_app):
    from .daemon import Daemon
    from .handlers import handlers
    from .settings import busy_variables, settings_folder

    daemon = Daemon(server_app.log, lambda: busy_variables(settings_folder(server_app)))
    server_app.web_app.add_handlers(".*$", handlers(server_app.web_app.settings["base_url"], daemon))
