/** What `hitch help packages` prints. */
export const packagesHelp = `Packages on a cluster

Each machine has a Python of its own, the first on PATH in cells, terminals, ssh sessions, jobs and Ray's workers. What is
installed there is on that machine only, changes nothing on this computer or for another cluster, and goes with the machine.

  in a cell          %pip install polars           !pip does the same
  in a terminal      pip install polars            after hitch ssh my-cluster
  by ssh             ssh hitch-my-cluster pip install polars
  on all machines    ray.init(runtime_env={"pip": ["polars"]})    for the tasks and actors of this notebook
                     ssh hitch-my-cluster.1 pip install polars    for everything, on one machine after the other

uv pip installs there too where uv is installed (%pip install uv). It does not see what the machine came with: a package that
needs PyTorch or Ray brings another one along. pip sees it, and installs only what is missing.

A notebook that has imported another version already needs its kernel restarted.
`;
