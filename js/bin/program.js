/** Commands and options. Unknown ones are refused; every command has `--help`. */

import { Argument, Command, InvalidArgumentError } from 'commander'

import { adapterVersion, packageName } from '../identity.js'
import { completionScript, printNames } from './completion.js'
import { doctor } from './doctor.js'
import { endRun } from './end-run.js'
import { gc } from './gc.js'
import { logs } from './logs.js'
import { ps } from './ps.js'
import { printPermissions } from './rbac.js'
import { render } from './render.js'
import { run } from './run.js'
import { sayError } from './stop.js'
import { top } from './top.js'

const configHelp = 'JSON or YAML object with keys of the adapter configuration'
const agentHelp = 'id of the agent, for labels and names (default: derived from the path of FILE)'

export function createProgram() {
  const program = new Command(packageName)
    .description('Runs Claude Code as Kubernetes Jobs: checks, previews and runs from a terminal.')
    .version(adapterVersion, '--version', 'show the version')
  for (const add of [addDoctor, addRender, addRun, addPs, addLogs, addStop, addTop, addGc, addRbac, addCompletion]) add(program)
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
  reachesCluster(program, 'doctor')
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
  reachesCluster(program, 'render')
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
  reachesCluster(program, 'run')
}

/** @param {Command} program */
function addPs(program) {
  program
    .command('ps')
    .summary('list the Jobs of the adapter')
    .description('One line per Job, newest first: what it does, for how long, and since when it is silent.')
    .option('--config <file>', configHelp)
    .option('-A, --all-namespaces', 'of all namespaces; needs list in all of them')
    .option('--agent <id>', 'only those of one agent')
    .option('--watch', 'repaint with every change, until Ctrl-C')
    .option('--server-namespace <name>', 'where the server runs, to tell which runs have lost their server')
    .option('--json', 'print JSON')
    .action(ps)
  reachesCluster(program, 'ps')
}

/** @param {Command} program */
function addLogs(program) {
  program
    .command('logs')
    .summary('print the transcript of a run')
    .description('Reads the log of a running or retained Job: every line once, also beside a server that follows it.\nNAME is that of a Job, a run or a pod, or its beginning.')
    .argument('<name>')
    .option('--config <file>', configHelp)
    .option('-f, --follow', 'wait for new lines until the run ends')
    .option('--raw', 'the lines of Claude Code as they are')
    .option('--since <duration>', 'only what is newer, such as 10m', durationSeconds)
    .option('--html <file>', 'write the transcript as one page')
    .option('--json', 'the same as --raw: the lines are JSON')
    .action(logs)
  reachesCluster(program, 'logs')
}

/** @param {Command} program */
function addStop(program) {
  program
    .command('stop')
    .summary('end a run')
    .description('Deletes the Job of a run as a cancel does, waits for the end of its pod and tells it.\nNAME is that of a Job, a run or a pod, or its beginning.')
    .argument('<name>')
    .option('--config <file>', configHelp)
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(endRun)
  reachesCluster(program, 'stop')
}

/** @param {Command} program */
function addTop(program) {
  program
    .command('top')
    .summary('show CPU and memory of the runs')
    .description('What the pods use where the cluster measures it, and what they asked for.')
    .option('--config <file>', configHelp)
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--json', 'print JSON')
    .action(top)
  reachesCluster(program, 'top')
}

/** @param {Command} program */
function addGc(program) {
  program
    .command('gc')
    .summary('delete what nobody needs any more')
    .description(
      'Retained Jobs whose result was taken, Jobs that were never released, Secrets without a Job.\nWith --homes instead: homes of agents that no longer exist. Shows them and asks; deletes exactly what was shown.',
    )
    .option('--config <file>', configHelp)
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--homes <directory>', 'the directory k8s-homes of the data volume, as this machine sees it')
    .option('--agents <file>', 'which agents exist: the answer to GET /api/companies/ID/agents, or ids; - is the standard input')
    .option('--older-than <duration>', 'age of retained Jobs, or of the last change of a home, such as 12h or 7d', durationSeconds, 24 * 3600)
    .option('--dry-run', 'only show them')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(gc)
  reachesCluster(program, 'gc')
}

/** @param {Command} program */
function addCompletion(program) {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Completes commands, options and the names of runs. The first line of the script says where it belongs.')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell) => void process.stdout.write(completionScript(program, shell)))
  program.command('names', { hidden: true }).action(printNames)
  reachesCluster(program, 'names')
}

/**
 * How a command finds its cluster.
 * @param {Command} program
 * @param {string} name
 */
function reachesCluster(program, name) {
  program.commands
    .find((command) => command.name() === name)
    ?.option('--kubeconfig <file>', 'kubeconfig to use (default: `KUBECONFIG`, then the one in the home)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace of the Jobs (default: the one of FILE, of the pod or of the context)')
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
function durationSeconds(text) {
  const [, number, unit = 's'] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('Use a duration such as 90s, 30m, 12h or 7d')
  return Number(number) * { s: 1, m: 60, h: 3600, d: 86_400 }[/** @type {'s' | 'm' | 'h' | 'd'} */ (unit || 's')]
}

/** @param {string} text */
function seconds(text) {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Use a whole number of seconds, such as 600')
  return Number(text)
}
