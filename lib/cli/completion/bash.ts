import type { CompletedCommand, CompletedOption } from './completed-command.js';

/** The script for bash. Where it has no completion, bash completes names of files as usual. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# Completions of nestjs-gearman for bash: eval "$(nestjs-gearman completion bash)"
_nestjs_gearman() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]} words=
  # --option=value is three words here.
  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words='${commands.map(({ name }) => name).join(' ')} help --help --version'
  elif ((COMP_CWORD == 2)) && [[ $command == help ]]; then
    words='${commands.map(({ name }) => name).join(' ')}'
  else
    case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
    esac
    [[ $words || $current != -* ]] || case $command in
${commands.map(optionCase).join('\n')}
    esac
  fi
  [[ ! $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o bashdefault -o default -F _nestjs_gearman nestjs-gearman
`;
}

function optionCase({ name, options }: CompletedCommand): string {
  return `      ${name}) words='${options.flatMap(namesOf).join(' ')}' ;;`;
}

function valueCases({ name, options }: CompletedCommand): string[] {
  return options
    .filter(({ argument }) => argument !== undefined)
    .map((option) => {
      const patterns = namesOf(option).map((each) => `'${name} ${each}'`);
      // `return`: bash completes any other value by itself, and none with the names of our options.
      const act = option.words.length > 0 ? `words='${option.words.join(' ')}'` : 'return';
      return `      ${patterns.join(' | ')}) ${act} ;;`;
    });
}

function namesOf({ long, short }: CompletedOption): string[] {
  return short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`];
}
