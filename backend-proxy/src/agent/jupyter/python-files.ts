/** The Python that Jupyter Server loads: its configuration and the kernel manager that gives kernels their environment. */

/**
 * Loaded by `jupyter server --config`. All values, the token among them, stand in `settings.json` beside it (0600), so
 * that nothing secret is in an argument list or an environment.
 */
export const CONFIG_SOURCE = `\
import json
import os
import sys

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(folder, "python"))
with open(os.path.join(folder, "settings.json"), encoding="utf-8") as file:
    settings = json.load(file)

c = get_config()
for section, values in settings.items():
    c[section].update(values)
`;

/**
 * Kernels read their environment when they start and when they are restarted: Ray's address is known only after the
 * server runs, and secrets are for kernels and not for the server.
 */
export const KERNEL_MANAGER_SOURCE = `\
import json
import os

from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(os.path.dirname(HERE), "kernel-environment.json")


class HitchKernelManager(ServerKernelManager):
    async def _async_pre_start_kernel(self, **kw):
        environment = dict(kw.get("env") or os.environ)
        environment.pop("JUPYTER_NO_CONFIG", None)
        try:
            with open(FILE, encoding="utf-8") as file:
                environment.update(json.load(file))
        except FileNotFoundError:
            pass
        kw["env"] = environment
        return await super()._async_pre_start_kernel(**kw)
`;
