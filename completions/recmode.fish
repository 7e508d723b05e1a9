# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_recmode_global_optspecs
    string join \n h/help V/version
end

function __fish_recmode_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_recmode_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_recmode_using_subcommand
    set -l cmd (__fish_recmode_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c recmode -n "__fish_recmode_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_needs_command" -s V -l version -d 'Print version'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "resolve" -d 'Say which recording mode holds for a set of roles, and why'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "diff" -d 'Say whose sessions are recorded otherwise after a change of the roles, and why'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "lint" -d 'Find in role files what a person overlooks'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "explain" -d 'Explain a rule of lint, or list them all'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "schema" -d 'Print the JSON Schema of a file\'s format'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "record" -d 'Run a command in a terminal, record it, and enforce the mode when the disk fails'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "login" -d 'Be a recorded login: sshd\'s forced command, or, called by a login\'s name, the login shell'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "play" -d 'Play a recording on this terminal'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "cat" -d 'Print what a session showed, as text or bit for bit'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "info" -d 'Say what is known of a recording: who, where, when, under which mode, how it ended'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "ls" -d 'List recordings'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "search" -d 'Find a pattern in what was seen, or typed, in recorded sessions'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "verify" -d 'Say whether recordings are as they were written: intact, cut off, changed, and signed by whom'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "export" -d 'Write a recording in another format: a page, an animation, text, another asciicast'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "prune" -d 'Remove recordings that are too old, or too many for the disk'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "recover" -d 'Close recordings that a crash left open'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "man" -d 'Print the manual, or write one page a subcommand into a directory'
complete -c recmode -n "__fish_recmode_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l roles -d 'Role files, directories (searched for .yaml, .yml, .json, .tf and .tofu), or `-` for standard input' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l stdin-name -d 'Name of the text from standard input, in messages; NAME.tf makes it Terraform\'s' -r
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l role -d 'Use the role of this name only (repeatable; default: every role that was read)' -r
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l user -d 'Use the roles that this `kind: user` document holds' -r
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l set -d 'Use this set of roles where several were read that nobody holds together: a cluster, a scoped role' -r
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l dialect -d 'By whose rules: those of RFD 68, or what Teleport 18 acts on' -r -f -a "rfd68\t'The modes as they are specified'
teleport\t'What Teleport 18 acts on'"
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l kind -d 'Answer for this kind of session only (default: all five)' -r -f -a "ssh\t''
k8s\t''
desktop\t''
db\t''
app\t''"
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l format -d 'How to print the answer; `mode` prints just the mode and needs --kind' -r -f -a "table\t'A line a kind, with the reason in words'
json\t'The stable tree, for scripts'
yaml\t'The same tree as YAML'
mode\t'Just the mode; `none` where there is none in the dialect'
csv\t'The matrix of --all for spreadsheets'"
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l require -d 'Exit with 1 unless at least this mode holds, for --kind or for all kinds' -r -f -a "best_effort\t'The session goes on, with a warning'
strict\t'No recording, no session'"
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l color -d 'Colour the table and the errors' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; everywhere with CLICOLOR_FORCE'
always\t'Always'
never\t'Never'"
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l all -d 'Print the matrix: a row for each user and group, a column for each kind'
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -l with-requests -d 'With --all: count the roles that a holder may request, and show the weakest that it could come to'
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -s v -l verbose -d 'Say on stderr which documents were skipped'
complete -c recmode -n "__fish_recmode_using_subcommand resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand diff" -l base -d 'Compare with this revision in git instead of with OLD' -r
complete -c recmode -n "__fish_recmode_using_subcommand diff" -l format -d 'How to print the changes' -r -f -a "human\t'For people'
json\t'The stable tree, for scripts'
markdown\t'For a comment on a pull request'"
complete -c recmode -n "__fish_recmode_using_subcommand diff" -l fail-on -d 'Exit with 1 if there is such a change' -r -f -a "loosened\t'A mode is looser, or recording is off, for someone who was there before'
any\t'Any change, also of what is not known'
none\t'None'"
complete -c recmode -n "__fish_recmode_using_subcommand diff" -l dialect -d 'By whose rules: those of RFD 68, or what Teleport 18 acts on' -r -f -a "rfd68\t'The modes as they are specified'
teleport\t'What Teleport 18 acts on'"
complete -c recmode -n "__fish_recmode_using_subcommand diff" -l color -d 'Colour the changes and the errors' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; everywhere with CLICOLOR_FORCE'
always\t'Always'
never\t'Never'"
complete -c recmode -n "__fish_recmode_using_subcommand diff" -l with-requests -d 'Count the roles that a holder may request, and compare the weakest that it could come to'
complete -c recmode -n "__fish_recmode_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l config -d 'Read this configuration (default: .recmode.yaml or .yml, or .github/recmode.yaml or .yml, in this directory or, in a repository, above it)' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l dialect -d 'Whose reading of the roles counts (default: the configuration\'s, else rfd68)' -r -f -a "rfd68\t'The modes as they are specified'
teleport\t'What Teleport 18 acts on'"
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l format -d 'How to print the findings' -r -f -a "human\t'The source lines, annotated, for people'
json\t'A stable tree, for scripts; also what --baseline reads'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Workflow commands, which GitHub Actions shows as annotations'
gitlab\t'A GitLab Code Quality report'
junit\t'A JUnit report, in which a finding from --fail-on up is a failed test'"
complete -c recmode -n "__fish_recmode_using_subcommand lint" -s o -l output -d 'Write the findings, or the patch of --dry-run, to this file, which is replaced when they are complete; in colour only with --color always. `-` is standard output' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand lint" -s A -l allow -d 'Turn a rule off (repeatable)' -r
complete -c recmode -n "__fish_recmode_using_subcommand lint" -s W -l warn -d 'Make a rule\'s findings warnings (repeatable)' -r
complete -c recmode -n "__fish_recmode_using_subcommand lint" -s D -l deny -d 'Make a rule\'s findings errors (repeatable)' -r
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l fail-on -d 'Exit with 1 if there is a finding of at least this severity (default: the configuration\'s, else warning)' -r -f -a "info\t'All findings'
warning\t'Warnings and errors'
error\t'Errors only'"
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l baseline -d 'Leave out the findings of this earlier run (its --format json output)' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l stdin-name -d 'Name of the text from standard input, in messages; NAME.tf makes it Terraform\'s' -r
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l color -d 'Colour the findings' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; everywhere with CLICOLOR_FORCE'
always\t'Always'
never\t'Never'"
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l no-config -d 'Read no configuration'
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l exit-zero -d 'Exit with 0 whatever is found'
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l fix -d 'Repair what has one right answer; a mode is never weakened and never chosen. With `-`, print the repaired text, and the findings on stderr'
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l dry-run -d 'With --fix: print the changes as a patch instead of making them'
complete -c recmode -n "__fish_recmode_using_subcommand lint" -l allow-empty -d 'Accept directories without any role'
complete -c recmode -n "__fish_recmode_using_subcommand lint" -s q -l quiet -d 'Print no summary and no progress'
complete -c recmode -n "__fish_recmode_using_subcommand lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand explain" -s h -l help -d 'Print help'
complete -c recmode -n "__fish_recmode_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand record" -l mode -d 'The mode; without it and without roles: best_effort' -r -f -a "best_effort\t'The session goes on, with a warning'
strict\t'No recording, no session'"
complete -c recmode -n "__fish_recmode_using_subcommand record" -l roles -d 'Resolve the mode from these role files or directories (repeatable)' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand record" -l role -d 'Use the role of this name only (repeatable; default: every role that was read)' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l user -d 'Use the roles that this `kind: user` document holds' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l set -d 'Use this set of roles where several were read that nobody holds together: a cluster, a scoped role' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l kind -d 'The kind of session that the mode is resolved for and the recording is marked with' -r -f -a "ssh\t''
k8s\t''
desktop\t''
db\t''
app\t''"
complete -c recmode -n "__fish_recmode_using_subcommand record" -s o -l output -d 'Write the recording to this new file' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand record" -l dir -d 'Write the recording to a new file in this directory' -r -f -a "(__fish_complete_directories)"
complete -c recmode -n "__fish_recmode_using_subcommand record" -l format -d 'The recording\'s format' -r -f -a "asciicast-v3\t''
asciicast-v2\t'For older players'"
complete -c recmode -n "__fish_recmode_using_subcommand record" -l size -d 'The size of the session\'s terminal; a recording has at most 1000x1000 of it (default: the user\'s terminal, else 80x24)' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l sync -d 'When to sync the recording to the disk: `none`, `interval`, `interval:DURATION` after a write (when it is new, after 10 ms), or `always`, which under strict means that output is shown only when it is on the disk' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l stall-timeout -d 'How long a write, sync or open may take before it counts as failed' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l buffer -d 'How much output is kept for a disk that fails or is slow' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l log -d 'Log starts, failures, gaps and ends to this file as JSON lines (default: to journald, else to syslog\'s authpriv)' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand record" -l sign-key -d 'Sign the finished recording with this OpenSSH ed25519 private key, as FILE.sig' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand record" -l after-session -d 'What becomes of processes that the command leaves behind' -r -f -a "leave\t'They live on'
end\t'They are ended when the session is over'"
complete -c recmode -n "__fish_recmode_using_subcommand record" -l title -d 'A title for the recording' -r
complete -c recmode -n "__fish_recmode_using_subcommand record" -l capture-input -d 'Record what is typed too; what is typed while the terminal does not echo is masked'
complete -c recmode -n "__fish_recmode_using_subcommand record" -l no-nested -d 'Refuse to record inside a session that is already recorded'
complete -c recmode -n "__fish_recmode_using_subcommand record" -s q -l quiet -d 'Don\'t say where the recording is, nor what is missing from it'
complete -c recmode -n "__fish_recmode_using_subcommand record" -s v -l verbose -d 'Say after the session what went wrong with the recording'
complete -c recmode -n "__fish_recmode_using_subcommand record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand login" -l user -d 'With --check: for this user (default: the one who runs it; for another, root only)' -r
complete -c recmode -n "__fish_recmode_using_subcommand login" -l format -d 'With --check: how to print it' -r -f -a "human\t'For people'
json\t'A stable tree, for scripts'"
complete -c recmode -n "__fish_recmode_using_subcommand login" -l check -d 'Start nothing: judge the configuration, the roles and the directories, and say what the user would get'
complete -c recmode -n "__fish_recmode_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand play" -s s -l speed -d 'Playback speed multiplier, from 0.01 to 10000' -r
complete -c recmode -n "__fish_recmode_using_subcommand play" -s i -l idle-limit -d 'Cut pauses to this: 500ms, or seconds (default: the recording\'s idle_time_limit)' -r
complete -c recmode -n "__fish_recmode_using_subcommand play" -l from -d 'Begin here: a time since the start, such as 90s, 1m30s or 0:01:30.5, or the text of a marker' -r
complete -c recmode -n "__fish_recmode_using_subcommand play" -l to -d 'End here, after --from' -r
complete -c recmode -n "__fish_recmode_using_subcommand play" -l fit -d 'Draw the screen, as is done where this terminal would show something else than the recorded one'
complete -c recmode -n "__fish_recmode_using_subcommand play" -s f -l follow -d 'Show what is being recorded, from now on and until its end'
complete -c recmode -n "__fish_recmode_using_subcommand play" -l unsafe-raw -d 'Let everything through that was printed, also what drives this terminal'
complete -c recmode -n "__fish_recmode_using_subcommand play" -s h -l help -d 'Print help'
complete -c recmode -n "__fish_recmode_using_subcommand cat" -l raw -d 'Print the exact bytes, terminal control sequences included'
complete -c recmode -n "__fish_recmode_using_subcommand cat" -s t -l timestamps -d 'Print before each line when it last changed, since the start of the session'
complete -c recmode -n "__fish_recmode_using_subcommand cat" -s h -l help -d 'Print help'
complete -c recmode -n "__fish_recmode_using_subcommand info" -l format -d 'How to print it' -r -f -a "human\t'For people'
json\t'A stable tree, for scripts'"
complete -c recmode -n "__fish_recmode_using_subcommand info" -l utc -d 'Print times in UTC instead of local time'
complete -c recmode -n "__fish_recmode_using_subcommand info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l format -d 'How to print the list' -r -f -a "table\t'For people'
json\t'A stable tree, for scripts'
csv\t'For spreadsheets'"
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l user -d 'Only this user\'s recordings (repeatable)' -r
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l kind -d 'Only those of this kind (repeatable)' -r -f -a "ssh\t''
k8s\t''
desktop\t''
db\t''
app\t''"
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l mode -d 'Only those under this mode' -r -f -a "best_effort\t'The session goes on, with a warning'
strict\t'No recording, no session'"
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l state -d 'Only those in this state (repeatable)' -r -f -a "complete\t'It has its end'
live\t'Its session still runs'
cut-off\t'It has no end'
gap\t'Something is missing in it'
strict\t'Strict mode ended the session'
damaged\t'A line of it is wrong'"
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l since -d 'Only those begun then or later: 2026-11-22, "2026-11-22 18:00", yesterday, "2 days ago"' -r
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l until -d 'Only those begun before' -r
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l sort -d 'What to sort by: newest, longest or largest first, names in their order' -r -f -a "start\t''
duration\t''
size\t''
user\t''
kind\t''
mode\t''
state\t''
name\t''"
complete -c recmode -n "__fish_recmode_using_subcommand ls" -s r -l reverse -d 'Turn the order round'
complete -c recmode -n "__fish_recmode_using_subcommand ls" -l utc -d 'Print times in UTC instead of local time'
complete -c recmode -n "__fish_recmode_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand search" -s e -l regexp -d 'Search for this regular expression too (repeatable); PATTERN is then the first PATH' -r
complete -c recmode -n "__fish_recmode_using_subcommand search" -s m -l max-count -d 'Stop after NUM matching lines in each recording' -r
complete -c recmode -n "__fish_recmode_using_subcommand search" -s A -l after-context -d 'Print NUM lines after each match' -r
complete -c recmode -n "__fish_recmode_using_subcommand search" -s B -l before-context -d 'Print NUM lines before each match' -r
complete -c recmode -n "__fish_recmode_using_subcommand search" -s C -l context -d 'Print NUM lines before and after each match' -r
complete -c recmode -n "__fish_recmode_using_subcommand search" -l format -d 'How to print what was found; `json` is an object a line' -r -f -a "human\t'For people'
json\t'A stable tree, for scripts'"
complete -c recmode -n "__fish_recmode_using_subcommand search" -l input -d 'Search what was typed, where that was recorded, instead of what was seen'
complete -c recmode -n "__fish_recmode_using_subcommand search" -s i -l ignore-case -d 'Search case-insensitively'
complete -c recmode -n "__fish_recmode_using_subcommand search" -s F -l fixed-strings -d 'Treat patterns as literal text, not as regular expressions'
complete -c recmode -n "__fish_recmode_using_subcommand search" -s c -l count -d 'Print only how many lines match in each recording'
complete -c recmode -n "__fish_recmode_using_subcommand search" -s l -l files-with-matches -d 'Print only the names of recordings with a match'
complete -c recmode -n "__fish_recmode_using_subcommand search" -l date -d 'Print the date and time with its zone instead of the time since the start'
complete -c recmode -n "__fish_recmode_using_subcommand search" -l utc -d 'Print dates and times in UTC instead of local time (implies --date)'
complete -c recmode -n "__fish_recmode_using_subcommand search" -l json -d 'Short for --format json'
complete -c recmode -n "__fish_recmode_using_subcommand search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand verify" -l allowed-signers -d 'Each recording must be signed by one of those in this file, as ssh-keygen(1) describes it' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand verify" -l verify-time -d 'Judge the signers\' keys at this time (default: when each recording began)' -r
complete -c recmode -n "__fish_recmode_using_subcommand verify" -l format -d 'How to print the answers' -r -f -a "human\t'For people'
json\t'A stable tree, for scripts'"
complete -c recmode -n "__fish_recmode_using_subcommand verify" -s q -l quiet -d 'Print only what is not intact'
complete -c recmode -n "__fish_recmode_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand export" -l to -d 'The format' -r -f -a "asciicast-v2\t'For older players, with every byte and every microsecond'
asciicast-v3\t'For newer players, with every byte and every microsecond'
txt\t'The text that was seen'
html\t'A page to file: the facts, whether the file is intact, a player, commands, the transcript in colours'
svg\t'An animation'
typescript\t'OUT and OUT.timing, for scriptreplay'"
complete -c recmode -n "__fish_recmode_using_subcommand export" -s o -l output -d 'Write to this file, which is replaced when it is complete (default: standard output)' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand export" -l idle-limit -d 'In svg: make pauses at most this long: a duration, such as 500ms, or seconds' -r
complete -c recmode -n "__fish_recmode_using_subcommand export" -l theme -d 'In svg: whether it is light or dark' -r -f -a "auto\t'As the viewer prefers'
light\t'Light'
dark\t'Dark'"
complete -c recmode -n "__fish_recmode_using_subcommand export" -l allowed-signers -d 'In html: verify the signature in FILE.sig against the keys in SIGNERS, as `verify` does' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand export" -l no-player -d 'In html: leave the player out, and with it the only script'
complete -c recmode -n "__fish_recmode_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand prune" -l older-than -d 'Remove what was written to last longer ago than this' -r
complete -c recmode -n "__fish_recmode_using_subcommand prune" -l max-total -d 'Limit what all recordings take on the disk; whoever holds most loses the oldest' -r
complete -c recmode -n "__fish_recmode_using_subcommand prune" -l keep-free -d 'Keep this much of the disk free, a size or a part such as 5%; whoever holds most loses the oldest' -r
complete -c recmode -n "__fish_recmode_using_subcommand prune" -l min-age -d 'Keep what was written to more recently than this, whatever the other options ask for' -r
complete -c recmode -n "__fish_recmode_using_subcommand prune" -l log -d 'Log each removal to this file as a JSON line (default: to journald, else to syslog\'s authpriv)' -r -F
complete -c recmode -n "__fish_recmode_using_subcommand prune" -l format -d 'How to print what is removed' -r -f -a "human\t'For people'
json\t'A stable tree, for scripts'"
complete -c recmode -n "__fish_recmode_using_subcommand prune" -s y -l yes -d 'Do it; without this it is only shown'
complete -c recmode -n "__fish_recmode_using_subcommand prune" -l utc -d 'Print times in UTC instead of local time'
complete -c recmode -n "__fish_recmode_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand recover" -s h -l help -d 'Print help'
complete -c recmode -n "__fish_recmode_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c recmode -n "__fish_recmode_using_subcommand man" -l out -d 'Write recmode.1 and one page a subcommand into this directory' -r -f -a "(__fish_complete_directories)"
complete -c recmode -n "__fish_recmode_using_subcommand man" -s h -l help -d 'Print help'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "resolve" -d 'Say which recording mode holds for a set of roles, and why'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "diff" -d 'Say whose sessions are recorded otherwise after a change of the roles, and why'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "lint" -d 'Find in role files what a person overlooks'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "explain" -d 'Explain a rule of lint, or list them all'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "schema" -d 'Print the JSON Schema of a file\'s format'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "record" -d 'Run a command in a terminal, record it, and enforce the mode when the disk fails'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "login" -d 'Be a recorded login: sshd\'s forced command, or, called by a login\'s name, the login shell'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "play" -d 'Play a recording on this terminal'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "cat" -d 'Print what a session showed, as text or bit for bit'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "info" -d 'Say what is known of a recording: who, where, when, under which mode, how it ended'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "ls" -d 'List recordings'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "search" -d 'Find a pattern in what was seen, or typed, in recorded sessions'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "verify" -d 'Say whether recordings are as they were written: intact, cut off, changed, and signed by whom'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "export" -d 'Write a recording in another format: a page, an animation, text, another asciicast'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "prune" -d 'Remove recordings that are too old, or too many for the disk'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "recover" -d 'Close recordings that a crash left open'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "man" -d 'Print the manual, or write one page a subcommand into a directory'
complete -c recmode -n "__fish_recmode_using_subcommand help; and not __fish_seen_subcommand_from resolve diff lint explain schema record login play cat info ls search verify export prune recover completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
