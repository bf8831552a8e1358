/** Commands and options. Unknown ones are refused; every command has `--help`. */

import { Command, InvalidArgumentError } from 'commander'

import { adapterVersion, packageName } from '../identity.js'
import { doctor } from './doctor.js'
import { printPermissions } from './rbac.js'
import { render } from './render.js'
import { run } from './run.js'
import { sayError } from './stop.js'

const configHelp = 'JSON or YAML object with keys of the adapter configuration'
const agentHelp = 'id of the agent, for labels and names (default: derived from the path of FILE)'

export function createProgram() {
  const program = new Command(packageName)
    .description('Runs Claude Code as Kubernetes Jobs: checks, previews and runs from a terminal.')
    .version(adapterVersion, '--version', 'show the version')
  for (const add of [addDoctor, addRender, addRun, addRbac]) add(program)
  for (const command of [program, ...program.commands]) adapt(command)
  return program
}

/** @param {Command} program */
function addDoctor(program) {
  program
    .command('doctor')
    .summary('check credentials, permissions and placement')
    .description('Makes the checks of the environment test and creates nothing.\nExit code: 0 pass or warnings, 1 failure.')
    .option('--config <file>', configHelp)
    .option('--json', 'print the report as JSON')
    .action(doctor)
}

/** @param {Command} program */
function addRender(program) {
  program
    .command('render')
    .summary('print the objects a run would create')
    .description(
      'Asks the cluster as a run does, creates nothing, and prints the Job and its Secrets.\nValues of Secrets are masked; their sizes are shown. The run id is an example.',
    )
    .requiredOption('--config <file>', configHelp)
    .option('--agent <id>', agentHelp)
    .option('--json', 'print JSON instead of YAML')
    .action(render)
}

/** @param {Command} program */
function addRun(program) {
  program
    .command('run')
    .summary('run Claude Code once and follow it')
    .description(
      'Creates one Job, shows its transcript live and removes it at the end, as a run of the host does.\nCtrl-C cancels the run and waits for the verdict; a second one leaves the Job running.\nExit code: 0 success, 130 cancelled with Ctrl-C, else that of the container, or 1.',
    )
    .requiredOption('--config <file>', configHelp)
    .requiredOption('--prompt-file <file>', 'text for the agent; used instead of `promptTemplate`')
    .option('--timeout <seconds>', 'longest duration, used instead of `timeoutSec`; 0 is no limit', seconds)
    .option('--agent <id>', agentHelp)
    .option('--json', 'print only the result, as JSON')
    .action(run)
}

/** @param {Command} program */
function addRbac(program) {
  program
    .command('rbac')
    .summary('print the permissions the host needs')
    .description('Prints service account, Role and RoleBinding: the files of deploy/.\nUse it as: … rbac --namespace NAME | kubectl apply -f -')
    .option('--namespace <name>', 'namespace of the Jobs (default: the one kubectl uses)')
    .option('--service-account <name>', 'account the host runs under (default: paperclip)')
    .action(printPermissions)
}

/**
 * Errors are thrown instead of ending the process, and are one line.
 * @param {Command} command
 */
function adapt(command) {
  const name = command.parent ? `${packageName} ${command.name()}` : packageName
  command
    .allowExcessArguments(false)
    .helpOption('--help', 'show this help')
    .exitOverride()
    .configureOutput({ outputError: (text) => sayError(`${text.trim().replace(/^error: |\.$/g, '')}; see \`${name} --help\``) })
}

/** @param {string} text */
function seconds(text) {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Use a whole number of seconds, such as 600')
  return Number(text)
}
