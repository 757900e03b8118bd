/**
 * What the shell is told to run. Owns one thing: a simple command is put in the shell's own place with `exec`,
 * which saves a process per service and lets signals and pid be the program's own.
 */

/** Names the shell itself answers to (POSIX 2.9.1, 2.14, 2.4): `exec` would look for a program instead. */
const shellNames = new Set(
  `. : [ alias bg break builtin case cd command continue declare do done echo elif else esac eval exec exit export
   false fc fg fi for function getopts hash help history if in jobs kill let local newgrp printf pwd read readonly
   return select set shift shopt source suspend test then time times trap true type typeset ulimit umask unalias
   unset until wait while`.split(/\s+/),
);

/** A program's name or path and words without anything that makes a list, pipeline, redirection or expansion of commands. */
const simple = /^([A-Za-z0-9_./+-]+)(?:[ \t][^;&|<>()`\n!{}#\\]*)?$/;

const posixShell = /(^|\/)(sh|ash|dash|bash|ksh|mksh|zsh)$/;

/**
 * The command, with `exec` before it when it is one program with its arguments.
 * Parameters and quotes are the shell's business and stay; `${...}`, `$(...)` and the like stay without `exec`.
 */
export function shellLine(command: string, shell = 'sh'): string {
  const program = simple.exec(command)?.[1];
  const asIs = program === undefined || shellNames.has(program) || !posixShell.test(shell);
  return asIs ? command : `exec ${command}`;
}
