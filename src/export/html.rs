//! One page that needs nothing else, no script either: what the session was, a table of its commands
//! and markers, and the transcript in colours with the time of each line.

use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::sync::OnceLock;

use regex::Regex;

use super::palette::{Behind, DARK, Ink, LIGHT, Rgb, legible, paints};
use super::{ExportError, markup};
use crate::cast::Session;
use crate::recording::reader::{Code, Header, Item, Reader};
use crate::report::{duration, offset, utc};
use crate::screen::{Ending, Options, Place, RenderError, Screen, Style, TextLine, parse_size};

/// So many commands and markers are listed.
const MAX_LISTED: usize = 10_000;

/// The transcript ends after so many bytes of the page, which no browser would show: it says so there.
const MAX_PAGE: usize = 256 << 20;

/// So many characters of a command or marker stand in the table.
const MAX_CELL: usize = 1000;

/// The grounds of the light and of the dark page, and their colours of text.
const GROUNDS: [Rgb; 2] = [Rgb(0xff, 0xff, 0xff), Rgb(0x16, 0x18, 0x1c)];
const TEXTS: [Rgb; 2] = [Rgb(0x20, 0x21, 0x24), Rgb(0xe0, 0xe0, 0xe0)];

/// A row of the table.
struct Listed {
    time: u64,
    what: &'static str,
    text: String,
    /// The number of the line that it links to.
    line: usize,
}

pub(super) fn write(
    mut reader: Reader<impl BufRead>,
    name: &str,
    out: &mut impl Write,
) -> Result<Ending, ExportError> {
    let header = reader.header().clone();
    let too_large = |line| move |size| RenderError::TooLarge { line, size };
    let mut screen = Screen::of(&header, Options { styles: true, replaced: false }).map_err(too_large(1))?;
    let mut ending = if header.recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    let (mut length, mut exit, mut gaps) = (0, None, 0_u64);
    let mut body = String::new();
    let (mut count, mut left_out) = (0, 0_usize);
    let mut listed = Vec::new();
    // Markers wait for the line that is the first to come after them.
    let mut markers: Vec<(u64, String)> = Vec::new();
    let mut take = |lines: Vec<TextLine>, markers: &mut Vec<(u64, String)>, listed: &mut Vec<Listed>| {
        for line in lines {
            if body.len() >= MAX_PAGE {
                left_out += 1;
                continue;
            }
            count += 1;
            let after = markers.partition_point(|(time, _)| *time <= line.time);
            for (time, text) in markers.drain(..after) {
                push(listed, time, "marker", text, count);
            }
            if line.command {
                push(listed, line.time, "command", shortened(&line.text), count);
            }
            write_line(&mut body, &line, count);
        }
        count
    };
    for item in &mut reader {
        match item? {
            Item::Event(event) => {
                length = event.time;
                match event.code {
                    Code::Output | Code::ErrorOutput => screen.output(event.time, &event.data),
                    Code::Resize => {
                        if let Some((cols, rows)) = parse_size(&event.data) {
                            screen.resize(event.time, cols, rows).map_err(too_large(event.line))?;
                        }
                    }
                    Code::Marker if markers.len() < MAX_LISTED => {
                        markers.push((event.time, shortened(&event.data)));
                    }
                    Code::Exit => exit = Some(event.data),
                    Code::Marker | Code::Input => {}
                }
                take(screen.take(), &mut markers, &mut listed);
            }
            Item::Gap(_) => gaps += 1,
            Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
        }
    }
    let last = take(screen.finish(), &mut markers, &mut listed);
    if left_out > 0 {
        let _ = writeln!(
            body,
            "<div class=\"e\">The page ends here; the recording has {left_out} more lines.</div>"
        );
    }
    for (time, text) in markers {
        push(&mut listed, time, "marker", text, last);
    }
    listed.sort_by_key(|row| row.time);

    let title = header.title.clone().filter(|title| !title.is_empty());
    let title = markup(&title.unwrap_or_else(|| format!("Session {name}")));
    write!(out, "{}", head(&title))?;
    write!(out, "{}", facts(&header, length, exit.as_deref(), gaps, ending))?;
    write!(out, "{}", table(&listed))?;
    write!(
        out,
        "<section aria-labelledby=\"transcript\">\n<h2 id=\"transcript\">Transcript</h2>\n<div class=\"t\">\n{body}</div>\n</section>\n</main>\n</body>\n</html>\n"
    )?;
    Ok(ending)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn push(listed: &mut Vec<Listed>, time: u64, what: &'static str, text: String, line: usize) {
    if listed.len() < MAX_LISTED {
        listed.push(Listed { time, what, text, line });
    }
}

fn head(title: &str) -> String {
    let mut colours = [String::new(), String::new()];
    for (theme, colours) in [LIGHT, DARK].iter().zip(&mut colours) {
        for (index, colour) in theme.iter().enumerate() {
            let _ = write!(colours, "--c{index}:{colour};");
        }
    }
    let mut classes = String::new();
    for index in 0..16 {
        let _ = write!(classes, ".f{index}{{color:var(--c{index})}}");
    }
    let [light, dark] = colours;
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>\n\
         :root{{color-scheme:light dark;--fg:#202124;--bg:#fff;--dim:#5f6368;--line:#dadce0;--hit:#fff3c4;--link:#174ea6;{light}}}\n\
         @media (prefers-color-scheme:dark){{:root{{--fg:#e0e0e0;--bg:#16181c;--dim:#a0a5ab;--line:#3c4043;--hit:#4a3f00;--link:#a8c7fa;{dark}}}}}\n\
         body{{margin:0 auto;max-width:120ch;padding:1rem;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,sans-serif}}\n\
         a{{color:var(--link)}}h1{{font-size:1.4rem}}h2{{font-size:1.1rem;border-bottom:1px solid var(--line)}}\n\
         dl{{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}}dt{{color:var(--dim)}}dd{{margin:0;overflow-wrap:anywhere}}\n\
         table{{border-collapse:collapse}}caption{{text-align:left;color:var(--dim)}}th,td{{text-align:left;padding:.1rem 1rem .1rem 0;vertical-align:top}}td:last-child{{overflow-wrap:anywhere}}td:not(:last-child){{white-space:nowrap}}code,.t{{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.875rem}}\n\
         .t{{line-height:1.35;overflow-x:auto}}.l{{display:flex;white-space:pre}}.l:target{{background:var(--hit)}}\n\
         .l>a{{flex:none;width:12ch;color:var(--dim);text-decoration:none;user-select:none;-webkit-user-select:none}}.l>a:focus,.l>a:hover{{text-decoration:underline}}\n\
         .l>span{{min-height:1.35em}}.s{{border-left:3px solid var(--line);padding-left:.5ch}}.e{{color:var(--dim);margin:.3rem 0 0 12ch;font-style:italic}}\n\
         .d{{font-weight:bold}}.n{{opacity:.75}}.i{{font-style:italic}}.u{{text-decoration:underline}}.k{{text-decoration:line-through}}.u.k{{text-decoration:underline line-through}}\n\
         .ff{{color:var(--bg)}}.fb{{background:var(--fg)}}{classes}\n\
         .skip{{position:absolute;left:-999em}}.skip:focus{{position:static}}\n\
         </style>\n</head>\n<body>\n<a class=\"skip\" href=\"#transcript\">To the transcript</a>\n<main>\n<h1>{title}</h1>\n"
    )
}

fn facts(header: &Header, length: u64, exit: Option<&str>, gaps: u64, ending: Ending) -> String {
    let session = header.recmode.as_ref().map(Session::new).unwrap_or_default();
    let text = |text: Option<&str>| text.map(markup);
    let ended = match ending {
        Ending::Complete => None,
        Ending::Torn { line } => Some(format!("cut off in line {line}")),
        Ending::NoEnd => Some("no end record: the session still ran, or it is cut off".to_owned()),
    };
    let mut out = "<dl>\n".to_owned();
    for (name, value) in [
        ("User", text(session.user.as_deref())),
        ("Host", text(session.host.as_deref())),
        ("Started", header.timestamp.and_then(utc)),
        ("Duration", Some(duration(length))),
        ("Command", text(header.command.as_deref())),
        ("Kind", text(session.kind.as_deref())),
        ("Mode", text(session.mode.as_deref())),
        ("Exit status", text(exit)),
        ("Gaps", (gaps > 0).then(|| gaps.to_string())),
        ("End", ended),
    ] {
        if let Some(value) = value {
            let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
        }
    }
    out + "</dl>\n"
}

fn table(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return String::new();
    }
    let mut out = "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">Commands and markers</h2>\n<table>\n\
                   <thead><tr><th scope=\"col\">Time</th><th scope=\"col\">What</th><th scope=\"col\">Text</th></tr></thead>\n<tbody>\n"
        .to_owned();
    for Listed { time, what, text, line } in listed {
        let _ = writeln!(
            out,
            "<tr><td><a href=\"#L{line}\">{}</a></td><td>{what}</td><td><code>{}</code></td></tr>",
            offset(*time),
            markup(text)
        );
    }
    out + "</tbody>\n</table>\n</nav>\n"
}

fn write_line(body: &mut String, line: &TextLine, number: usize) {
    let screen = match line.place {
        Place::FullScreen { first: true } => {
            body.push_str("<div class=\"e\">a full-screen program's last screen:</div>\n");
            " class=\"s\""
        }
        Place::FullScreen { first: false } => " class=\"s\"",
        Place::Normal | Place::Replaced => "",
    };
    let _ = write!(
        body,
        "<div class=\"l\" id=\"L{number}\"><a href=\"#L{number}\">{}</a><span{screen}>",
        offset(line.time)
    );
    let addresses: Vec<_> = link().find_iter(&line.text).map(|found| found.range()).collect();
    let mut at = 0;
    for (bytes, style) in &line.styles {
        let end = at + bytes;
        let (open, close) = span(style);
        body.push_str(&open);
        while at < end {
            let inside = addresses.iter().find(|address| address.contains(&at));
            let next = addresses.iter().map(|address| address.start).find(|&start| start > at);
            let to = inside.map_or_else(|| next.unwrap_or(end), |address| address.end).min(end);
            let text = markup(&line.text[at..to]);
            match inside {
                Some(address) => {
                    let target = markup(&line.text[address.clone()]);
                    let _ =
                        write!(body, "<a href=\"{target}\" rel=\"noopener noreferrer nofollow\">{text}</a>");
                }
                None => body.push_str(&text),
            }
            at = to;
        }
        body.push_str(close);
    }
    body.push_str("</span></div>\n");
}

/// What is taken for a link: http and https only.
fn link() -> &'static Regex {
    static LINK: OnceLock<Regex> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "a constant that a test compiles")]
    LINK.get_or_init(|| {
        Regex::new(r"https?://[A-Za-z0-9][!#-;=?-Z_a-z~]*[A-Za-z0-9/_~=-]").expect("a pattern")
    })
}

/// The tags around a run of characters.
fn span(style: &Style) -> (String, &'static str) {
    if style.is_default() {
        return (String::new(), "");
    }
    let mut classes: Vec<String> = Vec::new();
    let mut css = String::new();
    for (wanted, class) in [
        (style.is_bold(), "d"),
        (style.is_faint(), "n"),
        (style.is_italic(), "i"),
        (style.is_underline(), "u"),
        (style.is_strikethrough(), "k"),
    ] {
        if wanted {
            classes.push(class.to_owned());
        }
    }
    let (ink, behind) = paints(style);
    match behind {
        Behind::Ground => {}
        Behind::Text => classes.push("fb".to_owned()),
        Behind::Fixed(colour) => {
            let _ = write!(css, "background:{colour};");
        }
    }
    match (ink, behind) {
        (Ink::Text, _) => {}
        (Ink::Ground, _) => classes.push("ff".to_owned()),
        (Ink::Theme(index), _) => classes.push(format!("f{index}")),
        (Ink::Fixed(colour), Behind::Fixed(_)) => {
            let _ = write!(css, "color:{colour};");
        }
        (Ink::Fixed(colour), behind) => {
            let grounds = if behind == Behind::Text { TEXTS } else { GROUNDS };
            let [light, dark] = grounds.map(|ground| legible(colour, ground));
            let _ = write!(css, "color:{light};");
            if light != dark {
                let _ = write!(css, "color:light-dark({light},{dark});");
            }
        }
    }
    let style = if css.is_empty() { String::new() } else { format!(" style=\"{css}\"") };
    (format!("<span class=\"{}\"{style}>", classes.join(" ")), "</span>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lines: &str) -> String {
        let text = format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n{lines}");
        let mut out = Vec::new();
        write(Reader::new(text.as_bytes()).expect("a header"), "a<b", &mut out).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn nothing_from_the_recording_is_markup() {
        let page =
            page("[0,\"o\",\"<script>alert('1')</script>&amp;\\r\\n\"]\n[0,\"m\",\"</table><b>\\u202e\"]\n");
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"), "{page}");
        assert!(page.contains("<code>&lt;/table&gt;&lt;b&gt;\\u{202e}</code>"));
        assert!(page.contains("<title>Session a&lt;b</title>") && !page.contains("<script"));
    }

    #[test]
    fn links_go_to_http_and_https_only() {
        let page = page(
            "[0,\"o\",\"see https://example.org/a?b=\\u001b[1mc&d\\u001b[0m. javascript:alert(1) file:///etc http://\\\"x\\r\\n\"]\n",
        );
        assert_eq!(page.matches("<a href=\"https://example.org/a?b=c&amp;d\" rel").count(), 2, "{page}");
        assert!(
            !page.contains("href=\"java")
                && !page.contains("href=\"file")
                && !page.contains("href=\"http://")
        );
    }

    #[test]
    fn colours_are_classes_of_the_theme_or_fixed() {
        let page = page("[0,\"o\",\"\\u001b[31;7mred\\u001b[0;38;5;196;1mfixed\\u001b[0m\\r\\n\"]\n");
        assert!(
            page.contains("<span class=\"\" style=\"background:#b3261e;color:#ffffff;\">red</span>"),
            "{page}"
        );
        assert!(page.contains("<span class=\"d\" style=\"color:#ff0000;\">fixed</span>"), "{page}");
        let page = self::page("[0,\"o\",\"\\u001b[38;5;231mwhite\\u001b[0;31mred\\u001b[0m\\r\\n\"]\n");
        assert!(page.contains(";color:light-dark(#") && page.contains(",#ffffff);\">white"), "{page}");
        assert!(page.contains("<span class=\"f1\">red</span>"), "{page}");
    }

    #[test]
    fn a_marker_of_any_length_is_a_row_of_the_table() {
        let page = page(&format!("[0,\"o\",\"x\\r\\n\"]\n[0,\"m\",\"{}\"]\n", "é".repeat(5000)));
        assert!(page.contains(&format!("<code>{}…</code>", "é".repeat(1000))), "{}", page.len());
    }
}
