/** A container that is rented at Nosana, simulated. */
import { NOSANA_KEY, NosanaSimulator } from '../simulators/nosana/simulator.ts';
import { describeWebRental } from './web-rental.ts';

describeWebRental({
  id: 'nosana',
  title: 'Nosana',
  key: NOSANA_KEY,
  gpu: { name: 'NVIDIA GeForce RTX 3090', memoryMiB: 24_576 },
  build: ({ clock, containers }) => new NosanaSimulator({ clock, machines: containers }),
  containerOf: id => id,
});
