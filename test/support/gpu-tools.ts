/** A folder with an `nvidia-smi` that says what a machine is to have: none of the test machines has a GPU. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns the folder; whoever made it removes it. */
export function gpuTools({
  name,
  memoryMiB,
  freeDiskGiB,
}: {
  readonly name: string;
  readonly memoryMiB: number;
  /** Left out: what this computer has. */
  readonly freeDiskGiB?: number;
}): string {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-gpu-'));
  const said = `<?xml version="1.0" ?>
<nvidia_smi_log>
  <driver_version>570.86.10</driver_version>
  <cuda_version>12.8</cuda_version>
  <gpu id="00000000:01:00.0">
    <product_name>${name}</product_name>
    <uuid>GPU-of-the-test</uuid>
    <fb_memory_usage><total>${memoryMiB.toString()} MiB</total><used>1 MiB</used></fb_memory_usage>
    <processes></processes>
  </gpu>
</nvidia_smi_log>
`;
  writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\ncat <<'END'\n${said}END\n`, { mode: 0o755 });
  if (freeDiskGiB !== undefined) {
    const free = (freeDiskGiB * 1024 * 1024).toString();
    writeFileSync(
      join(folder, 'df'),
      `#!/bin/sh\necho 'Filesystem 1024-blocks Used Available Capacity Mounted on'\necho '/dev/vda1 ${free} 0 ${free} 0% /'\n`,
      { mode: 0o755 },
    );
  }
  return folder;
}
