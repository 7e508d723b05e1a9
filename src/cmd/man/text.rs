//! The manual's texts that the command line's definition does not hold, page by page.

/// What a page says beyond name, synopsis and options.
pub(super) struct Page {
    /// Paragraphs after the command's own description.
    pub(super) description: &'static [&'static str],
    /// Status and meaning.
    pub(super) exit_status: &'static [(&'static str, &'static str)],
    /// Message and meaning.
    pub(super) diagnostics: &'static [(&'static str, &'static str)],
    /// Path and meaning.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// Variable and meaning.
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// What a command does, and the command.
    pub(super) examples: &'static [(&'static str, &'static str)],
}

/// Pages of others, all in section 1, that every page points to.
pub(super) const ELSEWHERE: &[&str] = &["asciinema", "script"];

/// The text of a subcommand's page.
pub(super) fn of(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|(page, _)| *page == name).map(|(_, text)| text)
}

const PLAIN_STATUS: &[(&str, &str)] =
    &[("0", "Done."), ("2", "Bad usage, or something could not be read or written.")];

const COLOUR: &[(&str, &str)] = &[
    ("NO_COLOR", "If set and not empty, --color auto means no colour."),
    ("CLICOLOR_FORCE", "If set and neither empty nor 0, --color auto means colour off a terminal too."),
];

const RECORDINGS: &[(&str, &str)] = &[
    ("/var/log/recmode/", "Where recmode-record(1) puts root's recordings."),
    ("$XDG_STATE_HOME/recmode/recordings/", "Where it puts everyone else's."),
    ("~/.local/state/recmode/recordings/", "The same, where XDG_STATE_HOME is unset or empty."),
];

/// recmode(1).
pub(super) const ROOT: &Page = &Page {
    description: &[
        "The mode of a kind of session (ssh, k8s, desktop, db, app) follows from all roles together, \
         whatever their order. Under spec.options.record_session a role may give a mode to a kind, and \
         one to all others as default. The first of these rules that applies decides: \
         a role gives strict to the kind: strict; a role gives best_effort to the kind: best_effort; \
         a role's default is strict: strict; otherwise: best_effort.",
        "By the second rule a role that is added can loosen a mode: where strict came from a default, \
         best_effort given to the kind by any other role beats it.",
    ],
    exit_status: &[
        ("0", "Fine."),
        ("1", "The answer is \"no\": findings, a requirement not met, a failed verification."),
        ("2", "The question could not be answered: bad usage, unreadable or invalid input."),
        ("others", "The record command has its own: see recmode-record(1)."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[
        ("RECMODE_MODE, RECMODE_ROLES, RECMODE_DIR", "Defaults of the record command."),
        ("RECMODE_SESSION", "The id of the recorded session; set for its command."),
        ("NO_COLOR, CLICOLOR_FORCE", "Whether to use colour where --color does not say."),
    ],
    examples: &[
        ("The modes that hold for the roles of a directory, and why", "recmode resolve --roles roles/"),
        ("A shell that is ended when it can't be recorded any more", "recmode record --mode strict -- bash"),
    ],
};

/// The pages of the subcommands.
pub(super) const PAGES: &[(&str, Page)] = &[
    ("resolve", RESOLVE),
    ("diff", DIFF),
    ("lint", LINT),
    ("explain", EXPLAIN),
    ("schema", SCHEMA),
    ("record", RECORD),
    ("login", LOGIN),
    ("play", PLAY),
    ("cat", CAT),
    ("info", INFO),
    ("ls", LS),
    ("search", SEARCH),
    ("verify", VERIFY),
    ("export", EXPORT),
    ("prune", PRUNE),
    ("recover", RECOVER),
    ("completions", COMPLETIONS),
    ("man", MAN),
];

const RESOLVE: Page = Page {
    description: &[
        "Roles are read from YAML files of one or many documents and from JSON files (an object or an \
         array): documents of kind role, versions v3 to v8, and scoped_role, and the operator's resources TeleportRole, \
         TeleportRoleV6, TeleportRoleV7, TeleportRoleV8 and TeleportScopedRoleV1; and from Terraform, in .tf, .tofu, \
         .tf.json and .tofu.json, the resources teleport_role and teleport_scoped_role, and the operator's resources in \
         kubernetes_manifest and kubectl_manifest. Users, bots, access lists and connectors, \
         Terraform's too, say who holds which roles. A role is read wherever it is applied from: items of lists, \
         values of Helm charts, tasks of Ansible, strings of a ConfigMap and inline patches of kustomize. Other \
         documents are skipped. What looks like a role and is not read gives a warning, and --require then holds \
         for no set of all roles. Directories are searched with all their subdirectories, as recmode-lint(1) describes. The paths -, /dev/stdin and /dev/fd/N \
         are read as streams; another named pipe or a device is an error.",
        "Without --role and --user all roles that were read make up the set. Two roles of one name are \
         an error, and so is a name that was not read.",
        "Several sets of roles may be read that nobody holds together: one for each alias of a provider in \
         Terraform (provider = teleport.eu is the cluster eu), one for each scoped role (SCOPE::NAME), and terraform and tofu \
         where x.tofu is beside x.tf. What names no cluster is in the set default. The answer is about one set; \
         where more than one has what is asked for, --set chooses it. --all has a row for each holder and set.",
        "What can't be read is an error with its place, never a silent best_effort: an unreadable or \
         malformed file, a repeated key, a value that is no mode. A key under record_session that is no \
         kind of session, and a record_session in a wrong place, have no effect and give a warning.",
        "desktop may be a boolean, which says whether desktop sessions are recorded at all and gives \
         no mode. They are recorded unless every role of the set says false. A kind that is not \
         recorded meets no requirement of strict.",
        "A user holds the roles of its document and those that access lists grant to it as a member or an \
         owner, through lists in lists too. --all answers for every user and bot, for the members and the owners of each access \
         list, and for each team or value that a github, saml or oidc connector maps to roles. In each row the \
         weakest cell is marked with ! and its cause is said. A pattern in a connector stands for the \
         roles that were read and that it matches. A role that was not read, or a template such as \
         $1, is left out of the answer and said so below the table (with --user it is an error). Whether a \
         membership has expired, and what an access list requires of its members, is not judged.",
        "With --with-requests each cell of --all is the weakest that any role could bring about which the holder may \
         request by allow.request.roles (less deny.request.roles) of what it holds.",
        "--dialect teleport answers for Teleport 18 as of 2026 instead of RFD 68: ssh by the rules; desktop has no \
         mode but is recorded or not, and a mode that is written there reads as false; k8s, db and app \
         have no mode. Teleport's decoder ignores the case of keys, so SSH is ssh then, and two keys of one mapping \
         that differ only in case are an error; in resources of Kubernetes and Terraform case matters. Kubernetes sessions are in effect always strict there and meet --require strict; \
         desktop, db and app do not. In JSON and YAML the mode is then null and decided_by is no_mode, and \
         settings without effect are listed under overridden; --format mode prints none.",
        "An expression of Terraform in place of a mode may be any mode, any boolean, or nothing. Where both modes are \
         possible, the table shows both and names the expression; in JSON and YAML the mode is null, possible lists \
         both modes, and unknown lists each expression's role, option and place; --require fails.",
    ],
    exit_status: &[
        ("0", "The modes were resolved, and what --require asks for holds."),
        ("1", "What --require asks for does not hold; a line says for which kind and why."),
        (
            "2",
            "Bad usage, or input that can't be read or is invalid; or, with --format mode, both modes are possible. \
             Nothing is printed on stdout.",
        ),
    ],
    diagnostics: &[],
    files: &[],
    environment: COLOUR,
    examples: &[
        ("The modes of all roles of a cluster", "recmode resolve --roles <(tctl get roles)"),
        (
            "Whether alice's SSH sessions are strict, for a CI job",
            "recmode resolve --roles roles/ --user alice --kind ssh --require strict",
        ),
        (
            "Who could work unrecorded, for a spreadsheet",
            "recmode resolve --roles access/ --all --format csv",
        ),
        (
            "Just the mode, for a script",
            "mode=$(recmode resolve --roles roles/ --role access --kind ssh --format mode)",
        ),
    ],
};

const LINT: Page = Page {
    description: &[
        "Role files are read as by recmode-resolve(1), Terraform's among them, and judged by rules; \
         recmode-explain(1) lists and explains them.",
        "Directories are searched for .yaml, .yml, .json, .tf and .tofu; hidden files are left out. In a \
         repository files are listed as git does: what is tracked, whatever .gitignore says, and what is \
         neither tracked nor ignored. Where git is missing or refuses, such as for a checkout that belongs to \
         another user, everything is read and stderr gives the reason. Outside of a repository the files that \
         .gitignore names are left out. A link that leads out of the repository, or out of the directories that \
         are searched, is an error, and so is a submodule that is not checked out. A sparse checkout is read as far as it is there, \
         and stderr says how many role files are not.",
        "The name of a file decides its language: HCL for .tf, .tofu, .hcl and .tf.*, YAML or JSON for all \
         others, and for standard input unless --stdin-name has such a name. HCL under another name, JSON with comments \
         and plain text are errors where the file was named.",
        "Each set of roles that nobody holds together is judged by itself; recmode-resolve(1) lists what makes a set. The \
         folders that the configuration names under clusters are sets too.",
        "Text that is not well-formed, such as a template that has to be rendered first, is reported once \
         for its file: as an error where the file was named or shows signs of a role, else as info.",
        "A finding is left out where a comment on its line, or above it with nothing but comments between, says \
         # recmode: ignore[RULE, ...] REASON. A finding of severity error needs the reason. The \
         configuration can leave out findings by rule, path and role.",
        "The configuration can leave files and directories out of the search with exclude, a list of globs \
         relative to its directory, and set fail-on.",
        "--fix changes only what has one right answer and leaves every other byte alone: a slip in the \
         spelling of a mode or a key, a record_session in the wrong place, a comment that suppresses \
         nothing. It never weakens a mode and never chooses one. What is read from - is printed repaired, \
         and the findings go to stderr.",
        "The patch of --dry-run is for git apply or patch -p1 in the current directory; if it changes files \
         elsewhere, in the directory that is said on stderr. Control characters in it are spelt out, so a \
         patch with such lines does not apply.",
        "The formats sarif, github, gitlab and junit name files from the root of the repository, whatever \
         the current directory is. The exit status is the same in every format. A SARIF log holds no more than \
         GitHub takes; what is left out is reported on stderr.",
    ],
    exit_status: &[
        ("0", "Nothing at or above --fail-on was found."),
        ("1", "Something was found."),
        (
            "2",
            "It could not be judged: bad usage, a configuration with an error, input that was named and could \
             not be read, a directory without any role (but see --allow-empty).",
        ),
    ],
    diagnostics: &[],
    files: &[
        (
            ".recmode.yaml",
            "The configuration, in the current directory or, in a repository, above it up to its root. Or \
             .recmode.yml; both are an error.",
        ),
        (".github/recmode.yaml", "The same, or .github/recmode.yml, where the other is not there."),
    ],
    environment: COLOUR,
    examples: &[
        ("What is wrong with the roles of this repository", "recmode lint"),
        ("Show what --fix would change", "recmode lint --fix --dry-run roles/"),
        (
            "Accept what is there, and fail on what comes",
            "recmode lint --format json --exit-zero -o known.json; recmode lint --baseline known.json",
        ),
        ("For code scanning", "recmode lint --format sarif -o recmode.sarif"),
        ("The roles of a cluster", "tctl get roles | recmode lint -"),
    ],
};

const EXPLAIN: Page = Page {
    description: &[
        "The page of a rule: what it finds, why it matters, a bad and a good example, how to mend it. The beginning of a rule's name is enough where no other rule begins so. Without RULE all rules are listed with their severities.",
    ],
    exit_status: PLAIN_STATUS,
    diagnostics: &[],
    files: &[],
    environment: &[],
    examples: &[("Why a role can weaken another", "recmode explain weakening-role")],
};

const SCHEMA: Page = Page {
    description: &[
        "JSON Schemas (draft 2020-12) for editors and other tools: of the configuration .recmode.yaml, and of a role as far as session recording goes.",
    ],
    exit_status: PLAIN_STATUS,
    diagnostics: &[],
    files: &[],
    environment: &[],
    examples: &[("For an editor", "recmode schema config > recmode.schema.json")],
};

const DIFF: Page = Page {
    description: &[
        "The answers before and after are compared, by kind of session, for each role alone and for each \
         user and group, as recmode-resolve(1) --all knows them. What stays as it was is left out. A change is \
         tightened, loosened, recording off or recording on, and a role, user or group that is on one side \
         only is new or gone. Each change names the settings that caused it, and their places.",
        "OLD and NEW are files or directories. With --base, each PATH (default: .) as it is now is compared with what it was \
         at the revision REV of the git repository that it is in; those files are read from git's \
         objects, nothing is checked out or fetched, no hook and no filter runs, and their places are REV:PATH. Links \
         are followed within the revision. Submodules are left out on both sides and named. A role that moves \
         to another file, also into the paths or out of them, is compared with what it was. Where nothing was \
         there at REV, everything is new. Errors at REV are warnings, so that a change that repairs them can \
         pass: what is wrong is named, and what it set is unknown.",
        "Each set of roles that nobody holds together is compared with itself; recmode-resolve(1) lists what makes a set.",
        "By --fail-on loosened, which is the default, the status is 1 if anyone who is on both sides is loosened or not recorded \
         any more. A new role or user that is not strict is no such change, since nothing of it was \
         stricter before; it counts under --fail-on any, as every change does. So does \
         a role that someone is newly given and that was not read, which is always said.",
        "--format markdown is for a comment on a pull request: what is weaker comes first, the rest is folded away, \
         and it never has more than 65,536 characters.",
    ],
    exit_status: &[
        ("0", "There is no change that --fail-on names."),
        ("1", "There is one."),
        (
            "2",
            "Bad usage, git failed (such as for a revision that a shallow or partial clone does not hold), or a side \
             can't be read or is invalid.",
        ),
    ],
    diagnostics: &[],
    files: &[],
    environment: COLOUR,
    examples: &[
        ("What a branch changes, for whom", "recmode diff --base origin/main access/"),
        (
            "The same as a comment on a pull request",
            "recmode diff --base origin/main --format markdown access/ | gh pr comment --body-file -",
        ),
        ("What differs between a cluster and the files", "recmode diff <(tctl get roles,users) access/"),
    ],
};

const RECORD: Page = Page {
    description: &[
        "The command runs in a terminal of its own, and what it prints is written to a new asciicast \
         file. The mode is --mode, or is resolved from --roles for --kind; with neither it is \
         best_effort. In directories of --roles all role files that are not hidden are read: git is not run, \
         and no .gitignore counts. Options after COMMAND are the command's.",
        "A recording fails when it can't be created, written, synced or closed, when its file vanishes \
         or is changed by something else, and when the disk does not answer for --stall-timeout. Under strict \
         the command is then not started, or the session is ended with all its processes. \
         Under best_effort the session goes on with a warning, and the recording \
         resumes by itself, into the same file where that is still possible, with the gap marked. \
         The cause goes to the operator's log (journald, else syslog's authpriv, or the file of --log), and with \
         --verbose to standard error when the session is over.",
        "Under strict nothing is shown before the recording has accepted it. Under best_effort the session \
         never waits for the disk.",
        "When the user's terminal hangs up, or recmode gets SIGHUP, the command's input ends and it gets SIGHUP and SIGCONT. \
         It is recorded (the marker disconnected shows where) until it has ended, has printed nothing for 5 seconds, or \
         has gone on for 60 seconds or 16 MiB. Then its terminal is closed, so that the kernel hangs up on everybody, and \
         recmode ends with status 129; nothing is killed. Who lives on is named in the operator's log. With \
         --after-session end recmode waits, without a terminal, until the command has ended by itself.",
        "SIGTERM, SIGINT, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on to the command, and recmode waits for what it does. A \
         second SIGTERM, SIGINT or SIGQUIT within 2 seconds ends the session: the command gets SIGHUP, and after \
         2 seconds SIGKILL. Another signal that would end recmode does the same at once. When the command is \
         stopped, recmode stops with it; when recmode is continued, so is the command.",
        "What the command leaves running when the session is over lives on (--after-session leave), or all processes that \
         the session has started are ended (end): by SIGHUP, after 250 ms SIGTERM, and after a second SIGKILL. Strict's own \
         termination ends them in any case. systemd-logind with KillUserProcesses=yes ends them when a login is over, whatever `after_session` is.",
        "The terminal is put into raw mode only where recmode is in the foreground of its controlling terminal and reads it, \
         and never while another recorder has it so. With standard input from /dev/null nothing is read from the terminal.",
        "Input is recorded only with --capture-input, and what is typed while the terminal does not echo, \
         such as a password, is masked even then.",
        "Bytes of output that are not valid UTF-8 are kept exactly, and recmode-cat(1) prints them with \
         --raw. Recordings can be played with asciinema(1); for versions before 3 record with \
         --format asciicast-v2.",
    ],
    exit_status: &[
        ("N", "The command's own exit status."),
        ("124", "The session was ended by strict mode."),
        (
            "125",
            "recmode could not do its work: bad usage, an error in the roles, an output file that exists, \
             or its signature's, a strict session that can't be recorded, or no descriptors or memory for a session: the \
             command was not run. Also where the command's output could not be written.",
        ),
        ("126", "The command was found but could not be executed."),
        ("127", "The command was not found."),
        ("128+N", "Signal N ended the command, or recmode; 129 where the terminal hung up."),
    ],
    diagnostics: &[
        (
            "Session could not start due to node error.",
            "Strict: the recording could not be started. A second line, ERROR: ssh: could not start shell, \
             names the kind of session.",
        ),
        (
            "Session terminating due to node error. / Closing session...",
            "Strict: the recording failed, and the session is ended.",
        ),
        (
            "Warning: node error. This might cause some functionalities not to work correctly.",
            "Best effort: the session goes on unrecorded until the disk is back.",
        ),
    ],
    files: &[
        ("/var/log/recmode/", "Where root's recordings go, unless -o, --dir or RECMODE_DIR says otherwise."),
        ("$XDG_STATE_HOME/recmode/recordings/", "Where everyone else's go."),
        ("~/.local/state/recmode/recordings/", "The same, where XDG_STATE_HOME is unset or empty."),
        (
            "20261122T204500Z-alice-1b9d6bcd.cast",
            "A recording's name there: the time in UTC, the user, a short id. Files are created with mode \
             0600 and missing directories with 0700; a file that exists is never overwritten.",
        ),
    ],
    environment: &[
        (
            "RECMODE_MODE",
            "The mode, where neither --mode nor roles are given. Each variable that is empty counts as unset.",
        ),
        (
            "RECMODE_ROLES",
            "Role files and directories, separated by colons, where neither --mode nor --roles is given; \
             they beat RECMODE_MODE.",
        ),
        ("RECMODE_DIR", "The directory for recordings, where neither -o nor --dir is given."),
        (
            "RECMODE_SESSION",
            "Set for the command: the session's id. If it is set already, the session is nested.",
        ),
        ("SHELL", "The default command; without it the user's login shell."),
        ("TERM", "The type of the session's terminal; the recording's header names it."),
        ("XDG_STATE_HOME, HOME", "Where the default directory is."),
    ],
    examples: &[
        ("Record a shell, best effort", "recmode record"),
        (
            "Record under the mode that alice's roles give",
            "recmode record --roles roles/ --user alice -- bash -l",
        ),
        (
            "Record one command, strictly, to a file of its own",
            "recmode record --mode strict -o deploy.cast -- ./deploy.sh",
        ),
    ],
};

const LOGIN: Page = Page {
    description: &[
        "A login that is recorded under the mode that the roles of this machine give its user. It is called in one of \
         two ways: as the user's login shell in passwd(5), by a name that begins with a dash or with -c COMMAND; or by sshd as \
         ForceCommand /usr/bin/recmode login. Everything is configured in /etc/recmode/config.yaml. No option and \
         no environment variable changes how a login is recorded; the user is that of the real user id.",
        "With a terminal the session is recorded as recmode-record(1) does it: the user's shell as a login shell, or what \
         was asked for, as an argument of its -c. Without one the bytes of standard input, output and error \
         pass untouched, each stream by itself; recorded are the command line, the exit status and how many \
         bytes went through each stream, and, as capture_streams has it, the bytes: under strict of everything but real \
         transfers of files (scp, rsync, sftp), which run without a shell; of sftp the files' names and sizes are recorded. \
         Messages go to standard error. A request for internal-sftp, which sshd would serve in its own process, is served by \
         sftp_server.",
        "The user's terminal can be opened by nobody but root during a session on it, where recmode leads the terminal's session \
         and the user owns its device.",
        "The configuration's keys: roles (a list of role files and directories, read as recmode-resolve(1) does), \
         recordings (the directory, /var/log/recmode/{user} if not given), unknown_user (strict, best_effort or refuse: \
         what a user gets whom the roles don't know; strict if not given), shell (for users whose shell in passwd is \
         recmode), sftp_server, scp (/usr/bin/scp), rsync (/usr/bin/rsync), kind (ssh), sync (interval:1s), buffer (8MiB), stall_timeout (10s), capture_input (false), \
         capture_streams (auto, yes or no; auto if not given), sign_key (as record --sign-key; the user has to be able to read it), log (a file instead \
         of the machine's log), banner (a text for users with a \
         terminal) and after_session (leave or end, as record --after-session; end for strict logins and leave for others \
         if not given). All paths are absolute. An unknown key is an error.",
        "The configuration, the role files and every directory above them must belong to root and be writable by \
         nobody else, and none may be a symbolic link. Every directory above the recordings must belong to root or the user \
         and be writable by nobody else; where one is not, the recording fails. A configuration that is missing, wrong or not to be relied \
         on admits nobody. Where the roles can't be judged, everybody is a user that they don't know, and none gets less than \
         strict.",
        "With --check nothing is started: it prints what the user would get, and reports what stands in the way of it, and warns of what on this machine lets users past recmode. \
         Root can check for any user, and judges with that user's rights.",
    ],
    exit_status: &[
        ("N", "As recmode-record(1); 125 where there is no session."),
        ("--check: 0", "The user gets in and is recorded as is printed."),
        ("--check: 1", "Something stands in the way, and is said."),
        ("--check: 2", "Bad usage, no such user, or no configuration that could be judged."),
    ],
    diagnostics: &[],
    files: &[
        ("/etc/recmode/config.yaml", "The configuration."),
        ("/var/log/recmode/{user}/", "Where recordings go, unless the configuration says otherwise."),
    ],
    environment: &[
        (
            "SSH_ORIGINAL_COMMAND",
            "What sshd's client asked for: what is run, and nothing of how it is recorded. No other variable is read.",
        ),
        ("SHELL", "Set for the session: the shell that stands behind recmode."),
        ("RECMODE_SESSION", "Set for the session: its id."),
    ],
    examples: &[
        ("What alice would get, before it is put to use", "recmode login --check --user alice"),
        ("Make it a user's login shell", "usermod --shell /usr/bin/recmode alice"),
    ],
};

/// What all pages say of a session in several files.
const SESSION: &str = "A session that went on in a second file, NAME.2.cast, is one session, whichever of its files is named. A file belongs to it only \
     if it is a regular file beside the one that is named, of the same owner, and its header has the session's id; symbolic links are not followed. What a \
     file holds beyond the place where the next one goes on is ignored. What is missing is named on standard error, and a marker is where it should be.";

const PLAY: Page = Page {
    description: &[
        "FILE is an asciicast of version 1, 2 or 3, made by recmode or another tool, perhaps compressed with gzip or zstd. It is \
         played as it was recorded, in its own time, and ends by itself; then the terminal is as it was before.",
        "What a recorded program printed can attack the terminal of the person who plays it. So only what is known to draw \
         is let through: text, cursor movement, erasing, colours, scrolling and the alternate screen. Not let through are \
         queries that a terminal answers as if its user had typed, and what writes to the clipboard, a file or a \
         printer, or changes titles, colours, key codes or tab stops. With --unsafe-raw everything is let through.",
        "Events are shown at their times, counted from the start or from the last pause, jump or change of the speed: what is \
         shown late does not delay the rest, and a player that is late catches up. Pauses between two events are cut to \
         --idle-limit, or else to the idle_time_limit of the recording's header.",
        "A status line shows the state, the time and the length, the speed, how much idle time was skipped, and the last \
         marker. It is in the last row of a terminal that has more rows than the recording, and elsewhere while playback is paused; \
         the key s shows it or hides it in all cases. While it, the help, a list or a search is on the terminal, the session's \
         screen is drawn above it. Where TERM is dumb, and with --unsafe-raw, only s shows it.",
        "There are no keys and no status line where output goes to no terminal. A search stays paused at what it finds. \
         The list has the markers, and the commands that the shell marked with OSC 133 or by turning bracketed paste off; Enter jumps to the selected \
         one. Where the end is reached while playback is paused, it stays until it goes on. Standard input, or a pipe, can't be gone \
         back in or searched, and a session that is followed can't be left.",
        "Output is passed on as long as the terminal shows it as the recorded one did. From when it would not, and with \
         --fit from the start, the screen is drawn, on the alternate screen. One that is larger is drawn cut: its left \
         columns, and the rows around its cursor. One that is smaller is drawn with its edges where the terminal has more \
         rows, once a line was wrapped at them, or while a full-screen program runs. What was on it at the end is left behind. \
         What is drawn, also after a jump, uses only sequences that terminals since the VT102 know. Colours beyond sixteen are drawn \
         where TERM contains 256color, and all of them where it ends in -direct or COLORTERM is truecolor or 24bit; elsewhere the \
         nearest one is.",
        "With --follow the screen is shown as it is now, and then what comes, when it comes, until the session ends; the \
         recordings of other tools, also compressed ones, are followed until the file is closed, or to their end where nobody has them \
         open for writing. Where output goes to no terminal, all that was printed before comes first. PLACE is a time since \
         the start, or else the text of a marker, the whole of it.",
        SESSION,
    ],
    exit_status: &[
        ("0", "It was played, or ended with q."),
        (
            "2",
            "Bad usage, --from after --to among it, or the recording can't be read or is none, or there is no such marker.",
        ),
        ("130", "It was ended with Ctrl-C."),
        ("128+N", "Signal N ended it."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[(
        "TERM, COLORTERM",
        "How many colours the terminal shows. Where TERM is dumb or not set, there is no status line by itself.",
    )],
    examples: &[
        (
            "Twice as fast, with no pause longer than a second",
            "recmode play --speed 2 --idle-limit 1s session.cast",
        ),
        ("From where recmode-search(1) found something", "recmode play --from 0:12:30 session.cast"),
        ("Look over a shoulder", "recmode play --follow session.cast"),
    ],
};

const CAT: Page = Page {
    description: &[
        "FILE is an asciicast of version 1, 2 or 3, made by recmode or another tool, perhaps compressed with gzip or \
         zstd. Without --raw the text is printed that a person saw: a terminal emulator of the session's size shows the output, and \
         each line is printed as it last was when it scrolled off the screen, was cleared with all of it, or stood there at \
         the end. A line that the terminal has wrapped is one line. Of a session without a terminal it is what came through \
         standard output and standard error. Of a full-screen program, such as an editor, the last screen is \
         printed as it stood before the program was left, and in that place. Control characters in the text are spelt out. With --raw the \
         exact bytes of standard output are printed, those that are not valid UTF-8 included; on a terminal they can do what they did in the \
         session.",
        "With --timestamps each line is preceded by the time of its last change, in hours, minutes, \
         seconds and milliseconds since the start: of a command that was typed, when it was entered.",
        "Input that was recorded is not printed. The recording is read line by line and printed as it \
         is read; a line may have 16 MiB. A terminal of more than 1000 columns or rows is rendered as 1000, and standard error \
         has a note. A compressed recording may decompress to 64 MiB and 50 times its own size. FILE is a regular file or a \
         stream (-, /dev/stdin, /dev/fd/N); a named pipe, a device or a socket is refused.",
        "A recording that is cut off is printed as far as it goes, and a line on standard error says so. A last line that \
         only lacks its newline is whole; a whole line that is wrong is an error, wherever it is. \
         The same is said of a recording of recmode's that lacks its end record.",
        SESSION,
    ],
    exit_status: &[
        ("0", "The session was printed, as far as it goes, or the reader of the output went away."),
        ("2", "Bad usage, or the recording can't be read or is none; the line is named."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[],
    examples: &[
        ("What a session showed, and when", "recmode cat --timestamps session.cast | less"),
        ("Search the last recording", "recmode cat \"$(ls -t *.cast | head -n 1)\" | grep -i error"),
        ("The exact bytes", "recmode cat --raw session.cast > session.bytes"),
    ],
};

const INFO: Page = Page {
    description: &[
        "FILE is an asciicast of version 1, 2 or 3, made by recmode or another tool, perhaps compressed with gzip or \
         zstd. It is read to its end. Printed are who was recorded, where and when, the mode and the roles' options that \
         decided it, the command, how the session ended, how much was recorded, the gaps and the markers with their times since \
         the start, and what its checks come to (see recmode-verify(1)). What a recording of another tool does not hold is left \
         out. Of a recording that was changed no duration and no count is printed (in JSON they are null), as no check covers them.",
        "Times carry their offset from UTC, or Z. The user is the recording's own word; where the file belongs to somebody else, the owner's name follows.",
        SESSION,
        "The states are those of recmode-ls(1). The JSON is stable: its schema is recmode.info/1, and keys are only added.",
    ],
    exit_status: &[
        ("0", "The recording was read, as far as it goes."),
        ("2", "Bad usage, or the recording can't be read, is damaged or is none; the line is named."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[("TZ", "The time zone of the times that are shown; those in JSON are in UTC.")],
    examples: &[
        ("Under which mode a session ran, and why", "recmode info session.cast"),
        ("The markers, for a script", "recmode info --format json session.cast | jq .markers"),
    ],
};

const LS: Page = Page {
    description: &[
        "DIR is searched with all directories below it; symbolic links in it are not followed. Every file that is an asciicast of \
         version 1, 2 or 3 is listed. Other files are passed over, but a file called .cast, .cast.gz or \
         .cast.zst that can't be read is reported, and the exit status is 2; so is a symbolic link of such a name that leads \
         out of DIR or nowhere. A session that went on in a new file \
         (NAME.2.cast) is one row, with what is missing of it. Only the head and the tail of each file are read, unless it \
         is compressed or small. Looking disturbs no recorder.",
        "The state is complete; live (the session still runs; of another tool's, where the caller may know that it is open for writing: its owner and \
         root may); cut-off (there is no end, or recmode-recover(1) has \
         added one); gap (something is missing in it); strict (strict mode ended the session); or damaged (a line near its end is wrong: standard error names it, and the \
         exit status is 2). Where the recording does not hold its duration, \
         as while it is being written, the time from its start to the last write is shown with a ~. Where the file's times can't be relied on (of a copy, \
         a file that was unpacked, touched, or is dated before its start or in the future) it is -.",
        "Times carry their offset from UTC, or Z. The user is the recording's own word; where the file belongs to somebody else, the owner's name \
         follows, and JSON and CSV have it as owner. A name that is too long for its column is cut and ends in an ellipsis.",
        SESSION,
        "WHEN is a date, a date and a time, both in the local time zone unless an offset is given, today, yesterday, or a time \
         ago such as 2 days ago or 1h 30m ago. Of several filters all have to be met.",
        "The JSON is stable: its schema is recmode.recordings/1, and keys are only added. Where a file's name is not UTF-8, file has \
         U+FFFD in place of its odd bytes, and file_base64 all of them; so it is in the JSON of the other commands, and files_base64 beside a list of files. In CSV, a text that a \
         spreadsheet would take for a formula has an apostrophe in front.",
    ],
    exit_status: &[
        ("0", "The list is complete, also if it is empty."),
        ("2", "Bad usage, or something could not be looked at; the others are listed."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[
        ("RECMODE_DIR", "The directory, where none is given."),
        ("TZ", "The time zone of the times that are shown and given; those in JSON and CSV are in UTC."),
        ("NO_COLOR, CLICOLOR_FORCE", "Whether the heading is bold."),
    ],
    examples: &[
        (
            "Sessions of the last two days that did not end as they should",
            "recmode ls --since \"2 days ago\" --state cut-off --state gap --state strict",
        ),
        ("The largest recordings", "recmode ls --sort size | head"),
        ("Alice's sessions, for a spreadsheet", "recmode ls --user alice --format csv > alice.csv"),
    ],
};

const SEARCH: Page = Page {
    description: &[
        "Every recording that is named or below a directory that is named, compressed ones too, is searched line by line for PATTERN, a \
         regular expression as the Rust crate regex knows them. With -e, which may be repeated, a line matches if one of the \
         patterns does, and all other arguments are paths. The lines are those of recmode-cat(1): what a person saw, so that a word is found that was split by \
         control sequences, typed with corrections or wrapped by the terminal. Beyond those, lines are searched that were seen \
         between two events of output and overwritten or cleared later, such as the pages of a pager; of such a \
         line the last state that matches is told. What was overwritten within one event nobody saw, and it is not \
         found. Files that are no recordings are passed over, but one called .cast, .cast.gz or .cast.zst is reported, and \
         the exit status is 2.",
        "With --input the lines are what was typed, up to each Enter, with what was erased left out. Input is in a \
         recording only if it was recorded with --capture-input.",
        "A line is printed as FILE:USER:TIME:TEXT, the time being that of its last change since the start of the session, as \
         in recmode-cat(1) and for recmode play --from. With --date the time is the date and the time of day with their zone, local or, with --utc, UTC; \
         it is - if the recording has no start. Lines beside a match have - for :, and -- stands where lines are left \
         out. The user is the recording's own word; where the file belongs to somebody else, the owner's name follows. In JSON each line is an object with the keys type (match or context), file, user, owner (of the file), time (seconds), at (that time in UTC), \
         place (line, full_screen or replaced) and text.",
        "With -c one line FILE:COUNT is printed for each recording, also if the count is 0; in JSON an object with the keys type (count), \
         file, user, owner and count. With -l only the name of each recording with a match is printed; in JSON an object with the keys type (file), \
         file, user and owner. -m ends the search of each recording after NUM matching lines, and what -A prints after the last one.",
        "A recording whose bytes ask for more drawing than a person could have seen is rendered in part: 67,108,864 cells, and 256 for each \
         byte of output. Beyond that, what would change many rows (a full reset, another screen, clearing, scrolling by many lines) changes only \
         the cursor's row; no text is left out. A message names the line from which on that is so, and the exit status is 2.",
        SESSION,
    ],
    exit_status: &[
        ("0", "Something was found."),
        ("1", "Nothing was found."),
        (
            "2",
            "Bad usage, or a path or recording could not be read to its end, or not be rendered whole; the others were searched.",
        ),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[
        ("RECMODE_DIR", "The directory, where no path is given."),
        ("NO_COLOR, CLICOLOR_FORCE", "Whether matches are coloured."),
    ],
    examples: &[
        ("Who has seen a password file", "recmode search -F /etc/shadow"),
        (
            "What was typed after sudo, with the two lines after it",
            "recmode search --input -A 2 '^sudo ' recordings/",
        ),
        (
            "How often each of two words is in the recordings of two days",
            "recmode search -c -e passwd -e shadow /var/log/recmode/20261124* /var/log/recmode/20261125*",
        ),
    ],
};

const VERIFY: Page = Page {
    description: &[
        "The recorder writes checks into a recording: with what comes after 64 KiB, or five seconds after a write, and at \
         the end, each the BLAKE3 hash of all bytes before its own value. They are followed from the first byte to the \
         last, and each recording is intact (all is as it was written, and it was closed; gaps that it tells of are said), \
         cut off after a byte (all before it is as it was written), recovered (closed by recmode-recover(1), after a byte \
         up to which it is checked), still being written, changed between two lines, or without \
         checks. The first change is between these two lines; nothing behind it is read, and nothing that was not verified is \
         counted. Of a directory all recordings below it \
         are verified, compressed ones too. Other files are passed over, but not those that are called .cast, .cast.gz or \
         .cast.zst: one of these that is no recording can't be judged. A path of - is standard input.",
        "Two files with the same session id and the same segment number are reported with both names: one of them is a copy, \
         which recmode itself never makes. A file without a segment number is segment 1.",
        "With --allowed-signers each recording must also have been signed by one of those in the file, which is that of \
         ssh-keygen(1) and is read as ssh-keygen reads it: patterns of principals and namespaces with a ! before those that \
         are excluded, valid-after and valid-before, and lines that can't be read are passed over, with a warning. A key counts \
         if ssh-keygen -Y verify accepts it for one of the principals of its line. Keys of type \
         ed25519, rsa (with SHA-2), ecdsa, sk-ssh-ed25519 and sk-ecdsa are verified. Signatures by a certificate or by a key of another type are not \
         supported: the exit status is 2 then, for that recording alone.",
        "FILE.sig is an SSH signature with the namespace recmode over the whole file. It is what record --sign-key makes, \
         and ssh-keygen -Y verify takes it as well. For FILE.gz and FILE.zst, FILE.gz.sig and FILE.zst.sig are over the compressed file. Where there \
         is none, FILE.sig is taken, which is over the text: the signature of a recording holds after it was compressed.",
        "Keys are judged at the time at which a recording began, by its header, which the signature covers, or now where the \
         header has none: the recordings of a key that was replaced hold if its line has a valid-before. Where a key \
         was stolen, its holder chooses that time. --verify-time judges all of them at one time: YYYYMMDD[HHMM[SS]][Z] as ssh-keygen \
         takes it (without Z local standard time), or what recmode-ls(1) takes after --since, such as now.",
        "The checks find what broke by accident, and what was changed by someone who does not know of them. They prove nothing \
         against someone who can rewrite the file: the hash needs no secret. The signature proves that the file \
         is as the holder of the key left it.",
        "The files of a session that went on in NAME.2.cast are verified together, whichever of them is named, and a line is the verdict on the session. \
         The header of a later file has the hash of the one before it, so that this one is intact up to there without an end or a signature of its own. \
         A session that lacks a file is incomplete.",
    ],
    exit_status: &[
        ("0", "All are intact and complete, and signed where that is asked for."),
        (
            "1",
            "One is not, a session lacks a file, or two are the same segment of a session. A missing or wrong signature is such an answer.",
        ),
        (
            "2",
            "Bad usage, one can't be read, is without checks or has a signature that is not supported, and none is wrong.",
        ),
    ],
    diagnostics: &[],
    files: &[("FILE.sig", "The signature of FILE, or of the text of FILE.gz or FILE.zst.")],
    environment: &[],
    examples: &[
        ("All recordings of this machine", "recmode verify /var/log/recmode"),
        ("One that a server has signed", "recmode verify --allowed-signers signers session.cast"),
        (
            "The same by OpenSSH",
            "ssh-keygen -Y verify -f signers -I ops@example.org -n recmode -s session.cast.sig < session.cast",
        ),
    ],
};

const EXPORT: Page = Page {
    description: &[
        "FILE is an asciicast of version 1, 2 or 3, made by recmode or another tool, perhaps compressed with gzip or zstd. \
         asciicast-v2 and asciicast-v3 keep every byte, every time to the microsecond, what the header says, and recmode's \
         records but for checks, which hold for one file only; comments and events of unknown codes are dropped. So are, with a warning, values that asciinema \
         refuses: a theme without its colours, a negative timestamp, an idle_time_limit that is not a number, a resize that is not a size, and an exit status that is not \
         a number. txt is what recmode-cat(1) prints.",
        "html is one page that loads nothing. Its head has all that recmode-info(1) prints, the BLAKE3 and SHA-256 of the file \
         as it is, compressed or not, and what verifying it came to while the page was made: integrity, and with \
         --allowed-signers the signature in FILE.sig, as recmode-verify(1) does. Anything that is wrong is also written above \
         that in words; a change, and a signature that doesn't hold, are reported on standard error too. The exit status stays 0: \
         the page is there.",
        "A table of commands and markers links to their lines. Commands are known where the shell turns bracketed paste off when \
         one is entered, as bash and zsh do, or reports them with OSC 133. A command's duration ends with OSC 133 D, or with the \
         next prompt; Lines counts the lines of the transcript that it printed; Status is the exit status, or - where the \
         shell does not report it.",
        "The transcript has the time of each line's last change. Gaps stand where they happened, and how the session ended at the end. Blanks \
         with a colour stay. Text has a contrast of at least 4.5:1 on whatever it stands, light or dark as the reader chose, but \
         block elements keep their colours. Lines wrap, also on paper; a switch turns that off on the screen. \
         After 256 MiB the page ends, and says so. Addresses of http and https are links.",
        "Above the transcript html has a player, unless --no-player is given: it shows what the screen was at each moment, with \
         every event up to it and none that comes more than a sixtieth of a second later. It has the keys of recmode-play(1) while it has the \
         focus (press ?), marks for commands, markers and gaps on its time bar, and links to moments: #t=SECONDS or #t=H:MM:SS. \
         A click on a line of the transcript or a row of the table seeks there. The page's policy lets its script run and nothing else, \
         and nothing is loaded. Without the script the page is the same as without the player. The player ends, with a note in \
         the page, where its frames exceed 16 MiB of the page, 16 MiB before compression (and 16 bytes more for each byte of output), or \
         268 million cells that had to be compared (and 128 more for each byte of output).",
        "svg is an animation that loads nothing and needs no script. It is light or dark as --theme sets it, by default as the viewer \
         prefers. Pauses are cut to --idle-limit, and there are at most 2000 frames and 12000 elements, as browsers are slow with more: a \
         session that needs more has fewer frames a second, and rows with very many colours lack them. The picture's description and a \
         warning report it. Where the reader wants no motion, the last frame is shown.",
        "typescript writes two files, OUT and OUT.timing, as script(1) does with a timing file. The last piece is the line that \
         script(1) ends with, at the time of the session's end.",
        SESSION,
        "An output file is replaced when the export is complete; one that fails or is interrupted leaves what was there before. \
         Root writes through no symbolic link and into no named pipe of another user.",
    ],
    exit_status: &[
        ("0", "The recording was exported, as far as it goes, or the reader of the output went away."),
        ("2", "Bad usage, or the recording can't be read or the output not be written."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[],
    examples: &[
        (
            "A page to file, with the signer",
            "recmode export session.cast --to html --allowed-signers signers -o session.html",
        ),
        (
            "Play it with other tools",
            "recmode export session.cast --to typescript -o session && scriptreplay -t session.timing session",
        ),
    ],
};

const PRUNE: Page = Page {
    description: &[
        "Without --yes nothing is removed; prune lists what would be.",
        "Recordings older than --older-than go first. Age is counted from the last write to the file, never from its header; a \
         file that is dated in the future counts from its last change of status, which a user can't set.",
        "Then, while all recordings take more than --max-total or less than --keep-free is free, prune removes the oldest \
         recording of the user who holds most, and goes on to the next user when both hold the same. The user is the owner of \
         the file, whatever its header claims. Sizes are those on the disk, so that a sparse file counts for what it takes. For \
         --keep-free, other files below DIR count for their owners too, except root's; they are not removed. A recording is kept where \
         removing it frees nothing, as a further hard link elsewhere keeps it.",
        "Recordings that are still being written stay, and with --min-age those that were written to since. They count for their \
         owners. When the user who holds most has nothing that may go, no other user loses anything: prune refuses, names \
         that user, removes nothing (also nothing for --older-than), and the exit status is 1. To remove what is too old in any \
         case, run prune for it alone, as the service in dist/ does.",
        "All files of a session (NAME.cast, NAME.2.cast) are removed or none, and what belongs to a recording (NAME.cast.sig, \
         NAME.cast.torn) goes with it where the same user owns both. A file called .cast, .cast.gz or .cast.zst that can't be read is reported, and \
         the exit status is 2. recmode's own recorder holds a lock; another tool's is recognized by its having \
         the file open for writing, which only the file's owner and processes with CAP_LEASE, such as root's, can see. No link is followed below \
         DIR, and a file that has changed since it was judged stays.",
        "Each removal is logged to journald, else to syslog's authpriv, or with --log FILE to that file as a JSON line: \
         time, event (pruned), recording, session (as its header claims), owner and uid (of the file), bytes (on the disk), \
         modified, and reason (age, total or free).",
        "Sizes are powers of 1024 (500MiB, 10G). An AGE is 90d, 12h, 2 weeks or 3 months.",
        "dist/ holds a service and a timer for systemd that run this once a day, and a tmpfiles.d entry for the \
         directory.",
    ],
    exit_status: &[
        ("0", "What was to go is gone, or was shown."),
        ("1", "--max-total or --keep-free can't be met. Nothing was removed."),
        ("2", "Bad usage, or a file could not be read, removed or logged; a message names it."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[("RECMODE_DIR", "The directory, where DIR is not given.")],
    examples: &[
        ("What a rule would remove", "recmode prune --older-than 90d --max-total 10G /var/log/recmode"),
        (
            "Keep a twentieth of the disk free, and every recording for a week",
            "recmode prune --keep-free 5% --min-age 7d --yes /var/log/recmode",
        ),
    ],
};

const RECOVER: Page = Page {
    description: &[
        "A recording whose recorder died with the machine has no end record, and its last line may be \
         torn. recmode moves the torn end to FILE.torn, a new file of mode 0600 with the recording's owner, and adds a marker \
         and an end record with the reason \"recovered\". Every whole line stays in the recording, also a last one that only \
         lacks its newline. Zeros that a power failure has left at the end are not kept. Where FILE.torn exists or can't be \
         written, that is an error, and the recording stays as it is.",
        "A recording with an end record but without the check behind it counts as cut off, as for recmode-verify(1): nothing \
         proves that end. It moves to FILE.torn, too, and the new end record keeps its exit status.",
        "A recording that is complete, one whose session still runs (its recorder holds a lock on it) and \
         one that is not recmode's is not touched. One with a whole line that is wrong, which a crash does not \
         explain, is an error and is not touched either.",
        "Below a directory no link is followed, also when its owner changes it meanwhile. A file that is found there and has further \
         names (hard links) is an error; name the file itself to recover it.",
    ],
    exit_status: &[
        ("0", "Every recording is complete now, or still being recorded."),
        ("2", "Bad usage, or a recording that could not be read or written, is damaged, or is none."),
    ],
    diagnostics: &[],
    files: RECORDINGS,
    environment: &[],
    examples: &[("After a power failure", "recmode recover /var/log/recmode")],
};

const COMPLETIONS: Page = Page {
    description: &[],
    exit_status: PLAIN_STATUS,
    diagnostics: &[],
    files: &[
        ("~/.local/share/bash-completion/completions/recmode", "Where Bash finds it."),
        ("~/.config/fish/completions/recmode.fish", "Where fish finds it."),
    ],
    environment: &[],
    examples: &[
        ("Bash, for the running shell", "source <(recmode completions bash)"),
        ("Z shell, into a directory of $fpath", "recmode completions zsh > ~/.zfunc/_recmode"),
        ("fish", "recmode completions fish > ~/.config/fish/completions/recmode.fish"),
    ],
};

const MAN: Page = Page {
    description: &[
        "Without --out this page's parent, recmode(1), is printed. The pages hold no date and depend on \
         nothing but the program.",
    ],
    exit_status: PLAIN_STATUS,
    diagnostics: &[],
    files: &[("~/.local/share/man/man1/", "Where man(1) finds a user's own pages.")],
    environment: &[],
    examples: &[
        ("Read the manual without installing it", "recmode man | man -l -"),
        ("Install it", "recmode man --out ~/.local/share/man/man1"),
    ],
};
