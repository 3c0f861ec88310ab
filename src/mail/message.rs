//! A message as a value, and the bytes of it.
//!
//! May use: `model`. Invariants: the same letter has the same Message-ID; header lines hold no line break of anybody's.

use super::error::MailError;
use crate::model::{Digest, clean_line};
use jiff::Timestamp;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Body, MultiPart, SinglePart};
use lettre::{Address, Message};

/// How long a subject may be, in characters.
const SUBJECT_CHARS: usize = 200;
/// How long a name may be.
const NAME_CHARS: usize = 100;
/// The name by which the page of a message speaks of its logo.
const LOGO: &str = "logo@report";

/// An address, with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name.
    pub name: Option<String>,
    address: Address,
}

impl Mailbox {
    /// Reads `name@shop.example`, or `Name <name@shop.example>`.
    ///
    /// # Errors
    /// [`MailError::Address`].
    pub fn parse(text: &str) -> Result<Self, MailError> {
        let wrong = |why: String| MailError::Address { address: clean_line(text, 300), why };
        if text.chars().any(char::is_control) {
            return Err(wrong("it holds a line break or another control character".into()));
        }
        let (name, address) = match text.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (Some(clean_line(name.trim().trim_matches('"'), NAME_CHARS)), address),
            None => (None, text.trim()),
        };
        let address: Address =
            address.parse().map_err(|error: lettre::address::AddressError| wrong(error.to_string()))?;
        let address = plain(&address).map_err(wrong)?;
        Ok(Self { name: name.filter(|name| !name.is_empty()), address })
    }

    /// The address alone.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn envelope(&self) -> Address {
        self.address.clone()
    }

    pub(super) fn domain(&self) -> &str {
        self.address.domain()
    }

    fn header(&self) -> lettre::message::Mailbox {
        lettre::message::Mailbox::new(self.name.clone(), self.address.clone())
    }
}

/// The address as every mail server takes it: the domain in its ASCII form.
fn plain(address: &Address) -> Result<Address, String> {
    if !address.user().is_ascii() {
        return Err("before the @ it has letters beyond ASCII, which many mail servers do not take".into());
    }
    if address.domain().is_ascii() {
        return Ok(address.clone());
    }
    let host = url::Host::parse(address.domain()).map_err(|error| error.to_string())?;
    Address::new(address.user(), host.to_string()).map_err(|error| error.to_string())
}

/// A picture that the page of a message shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// Its bytes, a PNG.
    pub png: Vec<u8>,
}

impl Logo {
    /// What an `img` of the page names.
    pub const SOURCE: &str = "cid:logo@report";
}

/// What is sent to one address.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// From whom.
    pub from: &'a Mailbox,
    /// To whom.
    pub to: &'a Mailbox,
    /// What it is about.
    pub subject: &'a str,
    /// What it is, whenever it is made: the same thing to the same address is the same letter.
    pub subject_id: &'a str,
    /// The text.
    pub text: &'a str,
    /// The page.
    pub html: &'a str,
    /// The picture of the page.
    pub logo: Option<&'a Logo>,
}

/// The name of a letter about this to this address.
pub fn letter_id(subject_id: &str, to: &Mailbox) -> String {
    let named = format!("{subject_id}\n{}", to.address().to_lowercase());
    Digest::of(named.as_bytes()).to_string().chars().take(24).collect()
}

impl Letter<'_> {
    /// The name of the letter: the same thing to the same address has the same one.
    pub fn id(&self) -> String {
        letter_id(self.subject_id, self.to)
    }

    /// The Message-ID, without its brackets.
    pub fn message_id(&self) -> String {
        format!("{}.intendant@{}", self.id(), self.from.domain())
    }

    /// The bytes, as they go to a server.
    ///
    /// # Errors
    /// [`MailError::Message`].
    pub fn bytes(&self, at: Timestamp) -> Result<Vec<u8>, MailError> {
        let wrong = |why: String| MailError::Message { to: self.to.address(), why };
        let builder = Message::builder()
            .from(self.from.header())
            .to(self.to.header())
            .subject(clean_line(self.subject, SUBJECT_CHARS))
            .date(at.into())
            .message_id(Some(format!("<{}>", self.message_id())));
        let html = SinglePart::html(self.html.to_owned());
        let text = SinglePart::plain(self.text.to_owned());
        let page = match self.logo {
            None => MultiPart::alternative().singlepart(text).singlepart(html),
            Some(logo) => {
                let kind = ContentType::parse("image/png").map_err(|error| wrong(error.to_string()))?;
                let picture = Attachment::new_inline(LOGO.to_owned()).body(Body::new(logo.png.clone()), kind);
                let related = MultiPart::related().singlepart(html).singlepart(picture);
                MultiPart::alternative().singlepart(text).multipart(related)
            }
        };
        let message = builder.multipart(page).map_err(|error| wrong(error.to_string()))?;
        Ok(message.formatted())
    }
}
