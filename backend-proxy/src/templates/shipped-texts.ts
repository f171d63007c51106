/**
 * The templates that come with Hitch, as text; they lie in `samples/templates`. Sources read them there; the bundler puts
 * each text in the place of the call that reads it, so that a bundle carries them.
 */
import { readFileSync } from 'node:fs';

const textOf = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');

/** By the template's folder and the file's path in it. */
export const SHIPPED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  notebook: {
    'hitch.yaml': textOf('../../../samples/templates/notebook/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/notebook/README.md'),
    'start.ipynb': textOf('../../../samples/templates/notebook/start.ipynb'),
  },
  ray: {
    'hitch.yaml': textOf('../../../samples/templates/ray/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/ray/README.md'),
    'start.ipynb': textOf('../../../samples/templates/ray/start.ipynb'),
  },
  'numpy-classifier': {
    'hitch.yaml': textOf('../../../samples/templates/numpy-classifier/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/numpy-classifier/README.md'),
    'train.py': textOf('../../../samples/templates/numpy-classifier/train.py'),
    'explore.ipynb': textOf('../../../samples/templates/numpy-classifier/explore.ipynb'),
    'requirements.in': textOf('../../../samples/templates/numpy-classifier/requirements.in'),
    'requirements.cpu.lock': textOf('../../../samples/templates/numpy-classifier/requirements.cpu.lock'),
  },
  'sklearn-digits': {
    'hitch.yaml': textOf('../../../samples/templates/sklearn-digits/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/sklearn-digits/README.md'),
    'train.py': textOf('../../../samples/templates/sklearn-digits/train.py'),
    'requirements.in': textOf('../../../samples/templates/sklearn-digits/requirements.in'),
    'requirements.cpu.lock': textOf('../../../samples/templates/sklearn-digits/requirements.cpu.lock'),
  },
  'pytorch-ddp': {
    'hitch.yaml': textOf('../../../samples/templates/pytorch-ddp/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/pytorch-ddp/README.md'),
    'train.py': textOf('../../../samples/templates/pytorch-ddp/train.py'),
    'processes.py': textOf('../../../samples/templates/pytorch-ddp/processes.py'),
    'requirements.in': textOf('../../../samples/templates/pytorch-ddp/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/pytorch-ddp/requirements.lock'),
  },
  'hf-trainer': {
    'hitch.yaml': textOf('../../../samples/templates/hf-trainer/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/hf-trainer/README.md'),
    'train.py': textOf('../../../samples/templates/hf-trainer/train.py'),
    'corpus.txt': textOf('../../../samples/templates/hf-trainer/corpus.txt'),
    'requirements.in': textOf('../../../samples/templates/hf-trainer/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/hf-trainer/requirements.lock'),
  },
  'trl-lora': {
    'hitch.yaml': textOf('../../../samples/templates/trl-lora/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/trl-lora/README.md'),
    'train.py': textOf('../../../samples/templates/trl-lora/train.py'),
    'answers.jsonl': textOf('../../../samples/templates/trl-lora/answers.jsonl'),
    'requirements.in': textOf('../../../samples/templates/trl-lora/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/trl-lora/requirements.lock'),
  },
  'ludwig-tabular': {
    'hitch.yaml': textOf('../../../samples/templates/ludwig-tabular/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/ludwig-tabular/README.md'),
    'train.py': textOf('../../../samples/templates/ludwig-tabular/train.py'),
    'model.yaml': textOf('../../../samples/templates/ludwig-tabular/model.yaml'),
    'requirements.in': textOf('../../../samples/templates/ludwig-tabular/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/ludwig-tabular/requirements.lock'),
  },
  'ludwig-llm': {
    'hitch.yaml': textOf('../../../samples/templates/ludwig-llm/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/ludwig-llm/README.md'),
    'train.py': textOf('../../../samples/templates/ludwig-llm/train.py'),
    'model.yaml': textOf('../../../samples/templates/ludwig-llm/model.yaml'),
    'answers.jsonl': textOf('../../../samples/templates/ludwig-llm/answers.jsonl'),
    'requirements.in': textOf('../../../samples/templates/ludwig-llm/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/ludwig-llm/requirements.lock'),
  },
  'ray-train': {
    'hitch.yaml': textOf('../../../samples/templates/ray-train/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/ray-train/README.md'),
    'train.py': textOf('../../../samples/templates/ray-train/train.py'),
    'requirements.in': textOf('../../../samples/templates/ray-train/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/ray-train/requirements.lock'),
  },
  'ray-data': {
    'hitch.yaml': textOf('../../../samples/templates/ray-data/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/ray-data/README.md'),
    'predict.py': textOf('../../../samples/templates/ray-data/predict.py'),
    'requirements.in': textOf('../../../samples/templates/ray-data/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/ray-data/requirements.lock'),
  },
  'ray-serve': {
    'hitch.yaml': textOf('../../../samples/templates/ray-serve/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/ray-serve/README.md'),
    'app.py': textOf('../../../samples/templates/ray-serve/app.py'),
    'requirements.in': textOf('../../../samples/templates/ray-serve/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/ray-serve/requirements.lock'),
  },
  'vllm-serve': {
    'hitch.yaml': textOf('../../../samples/templates/vllm-serve/hitch.yaml'),
    'README.md': textOf('../../../samples/templates/vllm-serve/README.md'),
    'requirements.in': textOf('../../../samples/templates/vllm-serve/requirements.in'),
    'requirements.lock': textOf('../../../samples/templates/vllm-serve/requirements.lock'),
  },
};
