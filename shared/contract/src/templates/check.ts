/** Reads a template file and says everything that is wrong with it, each mistake once, in a sentence with its place. */
import { Findings, type FolderFiles } from './findings.ts';
import { sayIssues } from './issues.ts';
import { sortedProblems, type TemplateProblem } from './problem.ts';
import { sayCluster, sayEnvironment, sayFiles, sayHitch, sayLimits, sayResources } from './rules-machine.ts';
import { sayParameters, sayPresets, sayTest } from './rules-parameters.ts';
import { sayCommands, sayKept, sayTexts } from './rules-run.ts';
import { TEMPLATE_SCHEMA, templateSchema, type Template } from './schema.ts';
import { valueAt } from './values.ts';
import { readYaml } from './yaml-file.ts';

export interface CheckOptions extends FolderFiles {
  /** The version of this Hitch; null: templates for newer ones are not refused. */
  readonly hitch: string | null;
}

export interface CheckedTemplate {
  /** Null where there are problems. */
  readonly template: Template | null;
  readonly problems: readonly TemplateProblem[];
}

export function checkTemplate(source: Uint8Array | string, options: CheckOptions): CheckedTemplate {
  const read = readYaml(source);
  if (!read.ok) {
    return { template: null, problems: sortedProblems(read.problems) };
  }
  const findings = new Findings(read.file);
  const parsed = templateSchema.safeParse(read.file.data);
  const issues = parsed.success ? [] : parsed.error.issues;
  const schema = valueAt(findings.data, ['schema']);
  const other = schema !== undefined && schema !== TEMPLATE_SCHEMA;
  // What another version allows is not known here: nothing else is said.
  sayIssues(findings, other ? issues.filter(({ path }) => path[0] === 'schema') : issues);
  if (!other) {
    sayParameters(findings);
    sayPresets(findings);
    sayTest(findings);
    sayCommands(findings, options);
    sayTexts(findings);
    sayKept(findings);
    sayCluster(findings, options);
    sayEnvironment(findings);
    sayResources(findings);
    sayLimits(findings);
    sayFiles(findings, options);
    sayHitch(findings, options.hitch);
  }
  const problems = sortedProblems(findings.problems);
  return { template: parsed.success && problems.length === 0 ? parsed.data : null, problems };
}
