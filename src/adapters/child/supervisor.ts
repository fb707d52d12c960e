/**
 * A small parent for a child whose descendants may hide. They can leave group, session and environment, but not this
 * parent.
 *
 * SV1 On Linux a subreaper adopts every orphan below it (prctl(2), PR_SET_CHILD_SUBREAPER). When the first program
 *     ends, the supervisor kills everything left below it. Then the supervisor ends the way the program ended.
 * SV2 The supervisor ends with everything below it when Baton ends (PR_SET_PDEATHSIG).
 * Not covered: a program that kills its supervisor on purpose, or that runs as another user by a set-user-id file.
 */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { arch, platform } from "node:process";
import { execa } from "execa";

/** Part of the base system of Debian, Ubuntu and most others. With a fixed path, nothing in `PATH` can take its name. */
const perl = "/usr/bin/perl";
const checkMs = 10_000;
const prctlNumber: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };

/** Uses no modules. Numbers stand where a module would only name them. */
const script = String.raw`
my ($prctl, $parent, $variables) = splice @ARGV, 0, 3;
my %own = map { split /=/, $_, 2 } splice @ARGV, 0, $variables;
my ($main, $status);
sub prctl { syscall($prctl + 0, @_, 0, 0, 0) }
sub below {
  my %children; opendir my $proc, "/proc" or return;
  for my $pid (grep /^\d+$/, readdir $proc) {
    open my $file, "<", "/proc/$pid/stat" or next;
    local $/; my $stat = <$file>;
    push @{ $children{$1} }, $pid if $stat =~ /.*\) [^ZX] (\d+)/s;
  }
  my @found; my @queue = ($$);
  while (@queue) { my @next = @{ $children{shift @queue} || [] }; push @found, @next; push @queue, @next }
  return @found;
}
sub finish {
  my $until = time + 5;
  for (;;) {
    my $pid; while (($pid = waitpid -1, 1) > 0) { $status = $? if $pid == $main }
    last if $pid < 0 || time > $until;
    my @left = below();
    kill "STOP", @left; kill "KILL", @left;
    select undef, undef, undef, 0.005;
  }
  $status = 9 unless defined $status;
  my $signal = $status & 127;
  exit($status >> 8) unless $signal;
  prctl(4, 0);
  $SIG{$_} = "DEFAULT" for keys %SIG;
  kill $signal, $$;
  select undef, undef, undef, 1;
  exit 128 + $signal;
}
my @quiet = qw(TERM INT QUIT USR1 USR2 ALRM);
$SIG{$_} = sub {} for @quiet;
$SIG{HUP} = sub { $SIG{HUP} = sub {}; finish() if $main };
prctl(36, 1);
$main = fork;
defined $main or exit 1;
if (!$main) {
  setpgrp 0, 0;
  $SIG{$_} = "DEFAULT" for @quiet, "HUP";
  delete $ENV{PERL_BADLANG};
  $ENV{$_} = $own{$_} for keys %own;
  { no warnings; exec { $ARGV[0] } @ARGV }
  print STDERR "$ARGV[0]: $!\n";
  exit 127;
}
prctl(1, 1);
finish() if getppid != $parent;
for (;;) { my $pid = waitpid -1, 0; if ($pid == $main) { $status = $?; last } last if $pid < 0 }
finish();
`;

export interface Supervised {
  command: string[];
  env: Record<string, string>;
}

let works: Promise<boolean> | null = null;

/** Whether this machine has everything that a supervisor needs. Checked once. */
export function supervisorWorks(): Promise<boolean> {
  works ??= check();
  return works;
}

async function check(): Promise<boolean> {
  if (platform !== "linux" || prctlNumber[arch] === undefined || !isProgram(perl)) return false;
  const { command, env } = supervise([perl, "-e", "exit 7"], {}, process.pid);
  const [program = "", ...args] = command;
  const end = await execa(program, args, { env, extendEnv: false, stdio: "ignore", timeout: checkMs, reject: false });
  return end.exitCode === 7;
}

/** `parent` is the process that starts the supervisor. The supervisor ends with it (SV2). */
export function supervise(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  parent: number,
): Supervised {
  // These variables would change the supervisor itself.
  const isPerls = ([name]: [string, string]): boolean => name.startsWith("PERL");
  const own = Object.entries(env).filter(isPerls);
  const rest = Object.entries(env).filter((entry) => !isPerls(entry));
  const variables = own.map(([name, value]) => `${name}=${value}`);
  return {
    command: [
      perl,
      "-e",
      script,
      "--",
      `${prctlNumber[arch]}`,
      `${parent}`,
      `${variables.length}`,
      ...variables,
      ...command,
    ],
    env: { ...Object.fromEntries(rest), PERL_BADLANG: "0" },
  };
}

/** Whether a program of this name can be started. The supervisor itself always starts. */
export function isThere(program: string, env: Readonly<Record<string, string>>, cwd: string): boolean {
  if (program.includes("/")) return isProgram(resolve(cwd, program));
  const directories = (env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter);
  return directories.some((directory) => isProgram(join(resolve(cwd, directory), program)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
