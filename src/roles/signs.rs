//! The signs of a role in text: what makes a document of another kind, a string or a template worth a
//! closer look. One definition for the reader and the linter. Pure; parses nothing.

use std::ops::Range;
use std::path::Path;

use memchr::memmem;

use super::resource::{OPERATOR_GROUP, is_of_teleport, wanted};

/// Keys that only a role or what makes one has.
pub(super) const KEYS: [&str; 2] = ["record_session", "session_recording_mode"];

/// How the kinds of the Kubernetes operator's roles begin.
pub(super) const OPERATOR_KIND: &str = "TeleportRole";

/// The extensions of files that are not read as roles and may be the templates of some.
const TEMPLATES: [&str; 5] = ["tpl", "gotmpl", "j2", "jsonnet", "hcl"];

/// Whether a file of this name is searched for signs of a role where a folder is searched.
#[must_use]
pub fn may_hold_signs(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|found| TEMPLATES.iter().any(|known| known.eq_ignore_ascii_case(found)))
}

/// Whether this kind is a role's, in any version of the operator's.
pub(super) fn is_role_kind(kind: &str) -> bool {
    kind == "role" || kind.starts_with(OPERATOR_KIND)
}

/// Whether the text may hold anything of ours at all; cheap, for text that mostly doesn't. `is_ours`: the
/// kinds that are.
pub(super) fn may_hold(text: &str, is_ours: impl Fn(&str) -> bool) -> bool {
    // What is escaped could be anything, and what a patch removes needs no name.
    const OTHERS: [&str; 6] = ["patches", "Transformer", "\\u", "\\U", "\\x", OPERATOR_GROUP];
    let holds = |word: &&str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    KEYS.iter().chain(&OTHERS).any(holds) || kinds(text).any(|(_, kind)| is_role_kind(kind) || is_ours(kind))
}

/// The first sign that is code and not prose: `kind: role`, or a key with something that follows it.
pub(super) fn in_code(text: &str) -> Option<Range<usize>> {
    let kind = kinds(text).find(|(_, kind)| is_role_kind(kind)).map(|(at, kind)| at..at + kind.len());
    let keys = KEYS.iter().filter_map(|key| {
        words(text, key).find(|at| {
            let rest = &text[at.end..];
            let value = rest.trim_start_matches(['"', '\'', '\\', ' ', '\t']);
            text[..at.start].ends_with('/')
                || value.starts_with([':', '=', '+'])
                || rest.starts_with(['/', '.', '[']) && rest[1..].starts_with(char::is_alphanumeric)
        })
    });
    kind.into_iter().chain(keys).min_by_key(|at| at.start)
}

/// The first sign in any form.
pub(super) fn anywhere(text: &str) -> Option<Range<usize>> {
    let word = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).map(|at| at..at + word.len());
    let words = KEYS.iter().chain([&OPERATOR_KIND]).filter_map(|key| word(key));
    words.chain(in_code(text)).min_by_key(|at| at.start)
}

/// Whether the text of a file that can't be read shows signs of a role, or of who holds some.
#[must_use]
pub fn shows_a_role(text: &str) -> bool {
    in_code(text).is_some()
        || KEYS.iter().any(|key| text.contains(key))
        || kinds(text).any(|(_, kind)| is_of_teleport(kind))
        || names_a_type(text)
}

/// Whether a resource of Teleport's Terraform provider begins here: its type in quotes, as it should be, or
/// without.
fn names_a_type(text: &str) -> bool {
    memmem::find_iter(text.as_bytes(), b"teleport_").any(|at| {
        let (before, rest) = text.split_at(at);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let is_type = rest.starts_with("teleport_role") || wanted(&rest[..end]).is_some();
        is_type && (before.ends_with('"') || before.trim_end_matches([' ', '\t']).ends_with("resource"))
    })
}

/// Whether the text holds what is filled in before Teleport reads it: a template, or a variable of a shell
/// or of kustomize.
pub(super) fn is_filled_in(text: &str) -> bool {
    let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '(');
    is_template(text) || text.split('$').skip(1).any(|rest| rest.starts_with(begins))
}

/// Whether the text holds a template of some other language than Teleport's own, which fills in a
/// user's traits (`{{internal.logins}}`): what it says is unknown before it is rendered.
pub(super) fn is_template(text: &str) -> bool {
    const TELEPORTS: [&str; 6] = ["internal.", "external.", "internal[", "external[", "email.", "regexp."];
    if memmem::find(text.as_bytes(), b"{%").is_some() {
        return true;
    }
    memmem::find_iter(text.as_bytes(), b"{{").any(|at| {
        let inside = text[at + 2..].trim_start();
        !TELEPORTS.iter().any(|own| inside.starts_with(own))
    })
}

/// The place of each value of a key `kind`, in YAML, JSON and their relatives.
fn kinds(text: &str) -> impl Iterator<Item = (usize, &str)> {
    memmem::find_iter(text.as_bytes(), b"kind").filter_map(move |at| {
        let before = &text[..at];
        // A line break may be written as an escape.
        let begins = before.ends_with("\\n") || before.ends_with("\\t") || before.ends_with("\\r");
        if !begins && before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
            return None;
        }
        let rest = text[at + 4..].trim_start_matches(['"', '\'', '\\', ' ', '\t']);
        let rest = rest.strip_prefix([':', '='])?;
        let rest = without_properties(rest.trim_start_matches([':', '>', ' ', '\t', '"', '\'', '\\']));
        let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'));
        let kind = &rest[..end.unwrap_or(rest.len())];
        (!kind.is_empty()).then_some((text.len() - rest.len(), kind))
    })
}

/// The text without the tags and anchors of YAML that it begins with.
fn without_properties(mut text: &str) -> &str {
    while text.starts_with(['!', '&']) {
        let end = text.find([' ', '\t']).unwrap_or(text.len());
        text = text[end..].trim_start_matches([' ', '\t', '"', '\'']);
    }
    text
}

/// Where this word is, alone and not as a part of a longer one.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    memmem::find_iter(text.as_bytes(), word.as_bytes())
        .map(move |at| at..at + word.len())
        .filter(move |at| !text[..at.start].ends_with(is_part) && !text[at.end..].starts_with(is_part))
}

/// A template's text with its comments blanked out, every byte in its place; and the comments that
/// speak to this program, each as its range and its text.
pub(super) fn without_comments(text: &str) -> (String, Vec<(Range<usize>, &str)>) {
    const BLOCKS: [(&str, &str); 4] = [("{{/*", "*/"), ("{{- /*", "*/"), ("{#", "#}"), ("/*", "*/")];
    let mut kept = String::with_capacity(text.len());
    let mut comments = Vec::new();
    let blank = |kept: &mut String, part: &str| {
        kept.extend(part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
    };
    let mut rest = text;
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let line = &rest[..rest.find('\n').map_or(rest.len(), |newline| newline + 1)];
        let code = line.trim_start();
        let opening = BLOCKS.iter().find(|(open, _)| code.starts_with(open));
        let indent = line.len() - code.len();
        let (comment, open, close) = match opening {
            // A comment that never ends hides nothing.
            Some((open, close)) => match rest[indent + open.len()..].find(close) {
                Some(end) => (indent + open.len() + end + close.len(), open.len(), close.len()),
                None => (0, 0, 0),
            },
            None if code.starts_with("//") => (line.trim_end().len(), 2, 0),
            None if code.starts_with('#') => (line.trim_end().len(), 1, 0),
            None => (0, 0, 0),
        };
        if comment == 0 {
            kept.push_str(line);
            rest = &rest[line.len()..];
            continue;
        }
        let said = &rest[indent + open..comment - close];
        if let Some(said) = super::tree::addressed(said) {
            comments.push((start + indent..start + comment, said));
        }
        blank(&mut kept, &rest[..comment]);
        rest = &rest[comment..];
    }
    (kept, comments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_a_sign_and_prose_is_none() {
        for (text, sign) in [
            ("kind: role", "role"),
            ("{\"apiVersion\": \"v1\", \"kind\":\"TeleportRoleV7\"}", "TeleportRoleV7"),
            ("local r = { kind: 'role' }", "role"),
            ("kind = \"role\"", "role"),
            ("kind: !!str role", "role"),
            ("kind: &k !!str 'role'", "role"),
            ("body: '{\\\"kind\\\": \\\"role\\\"}'", "role"),
            ("record_session: {}", "record_session"),
            ("\"record_session\" : {}", "record_session"),
            ("- path: /spec/options/record_session/ssh", "record_session"),
            ("session_recording_mode = strict", "session_recording_mode"),
            ("--set spec.options.record_session.ssh=strict", "record_session"),
        ] {
            assert_eq!(in_code(text).map(|at| &text[at]), Some(sign), "{text}");
        }
        for text in [
            "kind: Role",
            "kind: role-x",
            "kind: roles",
            "subkind: role",
            "member_kind: role",
            "Sets spec.options.record_session. Then more.",
            "the option record_session",
            "my_record_session: 1",
            "teleportroles",
        ] {
            assert_eq!(in_code(text), None, "{text}");
        }
    }

    #[test]
    fn teleports_own_templates_are_none_of_another_language() {
        assert!(!is_template("logins: ['{{internal.logins}}', '{{ external.login }}']"));
        assert!(!is_template("{{email.local(external.email)}} {{regexp.replace(external.x, \"a\", \"b\")}}"));
        for text in ["{{ .Values.x }}", "{{internal.a}} {{ mode }}", "{% if x %}", "{{- if x }}"] {
            assert!(is_template(text), "{text}");
        }
    }

    #[test]
    fn holders_of_roles_show_in_text_that_can_not_be_read() {
        for text in [
            "kind: user",
            "kind: &k role",
            "kind: bot",
            "kind: access_list_member",
            "kind: TeleportOIDCConnector",
            "kind: scoped_role_assignment",
            "resource \"teleport_user\" \"a\" {",
            "resource teleport_role b {",
            "{\"resource\": {\"teleport_bot\": {",
        ] {
            assert!(shows_a_role(text), "{text}");
        }
        for text in
            ["kind: users", "teleport_version: 1", "depends_on = [teleport_role.a]", "kind: Deployment"]
        {
            assert!(!shows_a_role(text), "{text}");
        }
    }

    #[test]
    fn what_is_filled_in_later_is_told_from_teleports_own() {
        for text in ["{{ .x }}-a", "${ENV}-a", "$ENV-a", "a-$(env)"] {
            assert!(is_filled_in(text), "{text}");
        }
        for text in ["a", "a$", "a$1", "{{internal.logins}}"] {
            assert!(!is_filled_in(text), "{text}");
        }
    }

    #[test]
    fn comments_are_blanked_in_their_place() {
        let text =
            "a\n{{- /* kind: role\n */ -}} b\n  # recmode: ignore[x] y\n// kind: role\nc # d\n/* open\n";
        let (kept, comments) = without_comments(text);
        assert_eq!(kept.len(), text.len());
        assert_eq!(
            kept.split_whitespace().collect::<Vec<_>>(),
            ["a", "-}}", "b", "c", "#", "d", "/*", "open"]
        );
        assert_eq!(comments.len(), 1);
        assert_eq!((&text[comments[0].0.clone()], comments[0].1), ("# recmode: ignore[x] y", "ignore[x] y"));
    }
}
