/** What two far machines say of themselves. */

export const LOOK_TEXT = `\
os Linux
arch x86_64
host gpu-box
boot gpu-box/7a4c0a3e-0000-4000-8000-000000000000
uid 1000
clock 1795993259
home /home/ada
libc glibc 2.35
system Ubuntu 22.04.5 LTS
cores 32
memory_kib 131072000
capabilities 0000000000000000
listening 0016 22B8 
place free 40960000 rw,relatime /home/ada/.hitch/far
place free 819200000 rw,relatime /data/.hitch-1000/far
cron yes
`;

/** As driver 550 writes it, shortened to what is near the things that are read. */
export const NVIDIA_SMI = `\
<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
	<timestamp>Sun Nov 29 22:00:00 2026</timestamp>
	<driver_version>550.54.15</driver_version>
	<cuda_version>12.4</cuda_version>
	<attached_gpus>2</attached_gpus>
	<gpu id="00000000:04:00.0">
		<product_name>NVIDIA H100 80GB HBM3</product_name>
		<uuid>GPU-aa</uuid>
		<fb_memory_usage>
			<total>81559 MiB</total>
			<reserved>551 MiB</reserved>
			<used>40000 MiB</used>
			<free>41008 MiB</free>
		</fb_memory_usage>
		<bar1_memory_usage>
			<total>131072 MiB</total>
			<used>3 MiB</used>
		</bar1_memory_usage>
		<processes>
			<process_info>
				<pid>4711</pid>
				<type>C</type>
				<process_name>python</process_name>
				<used_memory>39000 MiB</used_memory>
			</process_info>
		</processes>
	</gpu>
	<gpu id="00000000:05:00.0">
		<product_name>NVIDIA GeForce RTX 4090</product_name>
		<uuid>GPU-bb</uuid>
		<fb_memory_usage>
			<total>24564 MiB</total>
			<used>2 MiB</used>
		</fb_memory_usage>
		<processes>
			<process_info>
				<pid>812</pid>
				<type>G</type>
				<process_name>/usr/lib/xorg/Xorg</process_name>
				<used_memory>2 MiB</used_memory>
			</process_info>
		</processes>
	</gpu>
</nvidia_smi_log>
`;

/** The same of a machine with more of them: as many as there are models, each named `GPU-0`, `GPU-1`… */
export const nvidiaSmiOf = (models: readonly string[]): string => `\
<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
	<driver_version>550.54.15</driver_version>
	<cuda_version>12.4</cuda_version>
${models
  .map(
    (model, index) => `\
	<gpu id="00000000:0${index.toString()}:00.0">
		<product_name>${model}</product_name>
		<uuid>GPU-${index.toString()}</uuid>
		<fb_memory_usage>
			<total>81559 MiB</total>
			<used>2 MiB</used>
		</fb_memory_usage>
		<processes>
		</processes>
	</gpu>
`,
  )
  .join('')}</nvidia_smi_log>
`;
