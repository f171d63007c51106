/**
 * Imported before everything else. An agent waits most of its life beside programs that need the memory more; it works
 * at full speed once somebody opens a kernel.
 */
import { forgetAllocatorSettings, workFrugally } from '@hitch/platform/src/memory.ts';

workFrugally();
// Kernels and jobs, which the agent starts, are to have the allocator that they expect.
forgetAllocatorSettings();
