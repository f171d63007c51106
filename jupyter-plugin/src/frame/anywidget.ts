/** anywidget is published as a module for AMD alone: it says what it is to a function `define`, which is this one. */
import * as base from '@jupyter-widgets/base';
import { defined } from './define.ts';
import 'anywidget';

export const anywidget = defined(base);
