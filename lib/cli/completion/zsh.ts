import type { CompletedCommand, CompletedOption } from './completed-command.js';

/** The script for zsh, which reads it from its fpath as `_nestjs-gearman`, or by eval. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef nestjs-gearman
# Completions of nestjs-gearman for zsh: eval "$(nestjs-gearman completion zsh)", behind compinit
_nestjs_gearman() {
  local -a commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
    'help:tells the options of a command'
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    help) _describe command commands ;;
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _nestjs-gearman ]]; then _nestjs_gearman "$@"; else compdef _nestjs_gearman nestjs-gearman; fi
`;
}

function commandCase({ name, options }: CompletedCommand): string {
  const specs = [...options.map(specOf), "'*:word:_files'"];
  return `    ${name})\n      _arguments ${specs.join(' \\\n        ')} ;;`;
}

/** An option in the form of `_arguments`; `*` means that it may be given several times. */
function specOf({ long, short, help, argument, words }: CompletedOption): string {
  const value =
    argument === undefined ? '' : `:${plain(argument)}:${words.length > 0 ? `(${words.join(' ')})` : '_files'}`;
  const rest = quoted(`[${plain(help)}]${value}`);
  const longName = argument === undefined ? `--${long}` : `--${long}=`;
  if (short === undefined) return `'*${longName}'${rest}`;
  const shortName = argument === undefined ? `-${short}` : `-${short}+`;
  return `'*'{${shortName},${longName}}${rest}`;
}

/** A text for a description: characters with a meaning for `_arguments` are escaped. */
function plain(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
