//! The modes of terminals that a program may leave on, with what undoes them: one table, from the documents of xterm
//! (ctlseqs), kitty (its protocol extensions), iTerm2 (proprietary escape codes) and ghostty (its VT reference).
//!
//! Left out is what has no value that every terminal and user has at a prompt (blinking and shape of the cursor, 8-bit
//! meta, alternate scroll, the scroll bar, grapheme clusters), and what can't be undone without clearing the screen (132 columns).

/// Private modes (DECSET numbers) that are undone, with the value that they have at a prompt.
pub(super) const PRIVATE: [(u16, bool); 44] = [
    (1, false),     // cursor keys send application sequences
    (4, false),     // smooth scroll
    (5, false),     // reverse video
    (6, false),     // origin
    (7, true),      // autowrap
    (9, false),     // mouse, X10
    (25, true),     // visible cursor
    (45, false),    // reverse wraparound
    (47, false),    // alternate screen
    (66, false),    // application keypad
    (67, false),    // backarrow sends backspace
    (69, false),    // left and right margins
    (80, false),    // sixels do not scroll
    (1000, false),  // mouse, clicks
    (1001, false),  // mouse, highlights
    (1002, false),  // mouse, drags
    (1003, false),  // mouse, all motion
    (1004, false),  // focus reports
    (1005, false),  // mouse, UTF-8 coordinates
    (1006, false),  // mouse, SGR coordinates
    (1015, false),  // mouse, urxvt coordinates
    (1016, false),  // mouse, pixels
    (1045, false),  // extended reverse wraparound
    (1046, true),   // switching to the alternate screen
    (1047, false),  // alternate screen
    (1049, false),  // alternate screen with saved cursor
    (1050, false),  // function keys as terminfo has them
    (1051, false),  // function keys of Sun
    (1052, false),  // function keys of HP
    (1053, false),  // function keys of SCO
    (1060, false),  // keyboard of X11R6
    (1061, false),  // keyboard of a VT220
    (2001, false),  // a click moves readline's cursor
    (2002, false),  // a second click, too
    (2003, false),  // a third click deletes
    (2004, false),  // bracketed paste
    (2005, false),  // quoted paste
    (2006, false),  // literal newlines in a paste
    (2026, false),  // synchronized output
    (2031, false),  // reports of the colour scheme
    (2048, false),  // reports of the size
    (5522, false),  // paste events
    (9001, false),  // key events of Windows
    (19997, false), // signals as key events
];

/// Those of them that switch to the alternate screen.
pub(super) const ALTERNATE: [u16; 3] = [47, 1047, 1049];

/// The mode without which there are no left and right margins.
pub(super) const MARGINS: u16 = 69;

/// Puts left and right margins back, while there may be some; the cursor is saved around it, as it moves.
pub(super) const NO_MARGINS: &str = "\x1b7\x1b[s\x1b8";

/// What is undone wherever there was any escape sequence, as it is the same everywhere and nothing follows what sets it:
/// scrolling region, the first character set, keyboard lock (2), insert mode (4), line feeds that return the carriage (20),
/// local echo (12), attributes. The cursor is saved around the region, which moves it.
pub(super) const ALWAYS: &str = "\x1b7\x1b[r\x1b8\x0f\x1b(B\x1b[2;4;20l\x1b[12h\x1b[m";

/// Shifts back to the first character set.
pub(super) const SHIFT_IN: &str = "\x0f";
/// The introducers of the other character sets, whose letters are put back by `B` after it.
pub(super) const SETS: [u8; 3] = [b')', b'*', b'+'];

/// Ends a hyperlink.
pub(super) const NO_LINK: &str = "\x1b]8;;\x1b\\";
/// Ends an update in the older form of synchronized output.
pub(super) const END_UPDATE: &str = "\x1bP=2s\x1b\\";
/// Takes a progress bar away.
pub(super) const NO_PROGRESS: &str = "\x1b]9;4;0\x1b\\";
/// Numeric keypad.
pub(super) const NUMERIC_KEYPAD: &str = "\x1b>";
/// Takes the keyboard's flags of kitty back, where they were set and not pushed.
pub(super) const NO_KEYBOARD_FLAGS: &str = "\x1b[=0u";
