/** A container that is rented at io.net, simulated: whole hours of it are paid ahead, and none comes back. */
import { CONTAINER_HARDWARE } from '../simulators/ionet/container-hardware.ts';
import { IONET_KEY } from '../simulators/ionet/door.ts';
import { IonetSimulator } from '../simulators/ionet/ionet-simulator.ts';
import { describeWebRental } from './web-rental.ts';

describeWebRental({
  id: 'ionet',
  title: 'io.net',
  key: IONET_KEY,
  gpu: { name: 'NVIDIA L40', memoryMiB: 46_068 },
  build: ({ clock, containers }) =>
    new IonetSimulator({
      clock,
      containers,
      hardware: [],
      containerHardware: CONTAINER_HARDWARE.filter(({ name }) => name === 'L40'),
      bootMs: 2_000,
      endMs: 2_000,
    }),
  containerOf: id => id.replace(/^container:/, ''),
});
