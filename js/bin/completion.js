/** `completion`: what a shell needs to complete commands, options and the names of runs. */

import { packageName } from '../identity.js'
import { operate } from './operation.js'

/** @typedef {import('commander').Command} Command */

/** Commands whose argument is the name of a run. */
const named = ['logs', 'stop']
/** A shell may expand what it completes, and whoever may write a Job may write any text as its run. */
const plainName = /^[a-z0-9][-a-z0-9._]*$/i

/** Hidden: one name a line. @param {import('./operation.js').ClusterOptions} options */
export async function printNames(options) {
  /** @type {import('../types.d.ts').RunRow[]} */
  const rows = await operate(options, { name: 'list', heard: false })
  const names = new Set(rows.flatMap(({ job, run }) => [job, ...(run ? [run] : [])]))
  for (const name of names) if (plainName.test(name)) console.log(name)
}

/** @param {Command} program @param {string} shell */
export function completionScript(program, shell) {
  const commands = program.commands.filter((command) => command.name() !== 'names')
  const options = (/** @type {Command} */ command) => command.options.flatMap(({ long }) => long ?? []).concat('--help')
  const script = { bash, zsh, fish }[/** @type {'bash' | 'zsh' | 'fish'} */ (shell)]
  return script(commands.map((command) => ({ name: command.name(), summary: command.summary(), options: options(command) })))
}

/** @typedef {{ name: string, summary: string, options: string[] }[]} Commands */

/** @param {Commands} commands */
function bash(commands) {
  return `# ${packageName} completion bash > /etc/bash_completion.d/${packageName}
_paperclip_claude_k8s() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} words=
  if [ "$COMP_CWORD" = 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')}"
  else
    case $command in
${commands.map(({ name, options }) => `      ${name}) words="${options.join(' ')}" ;;`).join('\n')}
    esac
    case $command in
      ${named.join('|')}) [[ $current == -* ]] || words=$(${packageName} names 2>/dev/null) ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _paperclip_claude_k8s ${packageName}
`
}

/** @param {Commands} commands */
function zsh(commands) {
  return `#compdef ${packageName}
# ${packageName} completion zsh > "\${fpath[1]}/_${packageName}"
_paperclip_claude_k8s() {
  local -a commands names
  commands=(
${commands.map(({ name, summary }) => `    '${name}:${summary.replace(/'/g, '')}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
    ${named.join('|')}) if [[ $PREFIX != -* ]]; then names=(\${(f)"$(${packageName} names 2>/dev/null)"}); compadd -a names; fi ;;
  esac
  case $words[2] in
${commands.map(({ name, options }) => `    ${name}) [[ $PREFIX == -* ]] && compadd -- ${options.join(' ')} || _files ;;`).join('\n')}
  esac
}
compdef _paperclip_claude_k8s ${packageName}
`
}

/** @param {Commands} commands */
function fish(commands) {
  const complete = `complete -c ${packageName}`
  return [
    `# ${packageName} completion fish > ~/.config/fish/completions/${packageName}.fish`,
    ...commands.map(({ name, summary }) => `${complete} -n __fish_use_subcommand -f -a ${name} -d '${summary.replace(/'/g, '')}'`),
    ...commands.flatMap(({ name, options }) => options.map((option) => `${complete} -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`)),
    `${complete} -n '__fish_seen_subcommand_from ${named.join(' ')}' -f -a '(${packageName} names 2>/dev/null)'`,
    '',
  ].join('\n')
}
