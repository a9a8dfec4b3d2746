//! What an event is: the rules of packages/contract/src/event.ts, checked in one pass over the bytes, without copies.
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event<'a> {
    #[serde(borrow, deserialize_with = "text::<_, 128>")]
    event_type: Option<Cow<'a, str>>,
    #[serde(default, borrow, deserialize_with = "text::<_, 128>")]
    event_id: Option<Cow<'a, str>>,
    #[serde(default, borrow, deserialize_with = "text::<_, 256>")]
    user_id: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "timestamp")]
    timestamp: Option<()>,
    #[serde(default, borrow, deserialize_with = "object")]
    #[allow(dead_code)]
    payload: Option<&'a RawValue>,
}

/// What goes to Kafka: the caller's own bytes, with what was missing put in front.
pub struct Record<'a> {
    pub event_id: Cow<'a, str>,
    pub key: Option<Cow<'a, str>>,
    pub value: Cow<'a, [u8]>,
}

/// Checks one event.
pub fn read(json: &[u8]) -> serde_json::Result<Record<'_>> {
    let json = json.trim_ascii();
    // serde would take an array for a struct too.
    if json.first() != Some(&b'{') {
        let other: serde_json::Value = serde_json::from_slice(json)?;
        return Err(Error::custom(format!("expected a JSON object, got {other}")));
    }
    let event: Event = serde_json::from_slice(json)?;
    debug_assert!(event.event_type.is_some());
    let (event_id, made) = match event.event_id {
        Some(id) => (id, false),
        None => (Cow::Owned(uuid::Uuid::now_v7().to_string()), true),
    };
    let value = if !made && event.timestamp.is_some() {
        Cow::Borrowed(json)
    } else {
        let mut value = Vec::with_capacity(json.len() + 96);
        value.push(b'{');
        if made {
            value.extend_from_slice(format!("\"event_id\":\"{event_id}\",").as_bytes());
        }
        if event.timestamp.is_none() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
            value.extend_from_slice(format!("\"timestamp\":{},", now.as_millis()).as_bytes());
        }
        value.extend_from_slice(&json[1..]);
        Cow::Owned(value)
    };
    Ok(Record { event_id, key: event.user_id, value })
}

/// A string of 1 to MAX UTF-16 code units, the unit in which JavaScript counts; borrowed unless it has escapes.
fn text<'de, D: Deserializer<'de>, const MAX: usize>(from: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    struct Text<const MAX: usize>;
    impl<const MAX: usize> Text<MAX> {
        fn check<E: Error>(&self, text: &str) -> Result<(), E> {
            let fits = !text.is_empty() && (text.len() <= MAX || text.encode_utf16().count() <= MAX);
            if fits { Ok(()) } else { Err(E::invalid_value(Unexpected::Str(text), self)) }
        }
    }
    impl<'de, const MAX: usize> Visitor<'de> for Text<MAX> {
        type Value = Cow<'de, str>;
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            write!(f, "a string of 1 to {MAX} characters")
        }
        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
            self.check(text).map(|()| Cow::Borrowed(text))
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            self.check(text).map(|()| Cow::Owned(text.to_owned()))
        }
    }
    from.deserialize_str(Text::<MAX>).map(Some)
}

fn object<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    let raw = <&RawValue>::deserialize(from)?;
    if raw.get().starts_with('{') { Ok(Some(raw)) } else { Err(D::Error::custom("payload must be an object")) }
}

const MAX_UNIX_MS: u64 = 8_640_000_000_000_000;

/// RFC 3339 with a day that its month has, or Unix milliseconds.
fn timestamp<'de, D: Deserializer<'de>>(from: D) -> Result<Option<()>, D::Error> {
    struct Timestamp;
    impl Visitor<'_> for Timestamp {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an RFC 3339 date-time or Unix milliseconds")
        }
        fn visit_u64<E: Error>(self, ms: u64) -> Result<(), E> {
            if ms <= MAX_UNIX_MS { Ok(()) } else { Err(E::invalid_value(Unexpected::Unsigned(ms), &self)) }
        }
        fn visit_f64<E: Error>(self, ms: f64) -> Result<(), E> {
            let fits = ms.fract() == 0.0 && (0.0..=MAX_UNIX_MS as f64).contains(&ms);
            if fits { Ok(()) } else { Err(E::invalid_value(Unexpected::Float(ms), &self)) }
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
            if is_calendar_time(text) { Ok(()) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
        }
    }
    from.deserialize_any(Timestamp).map(Some)
}

fn is_calendar_time(text: &str) -> bool {
    static RFC3339: LazyLock<regex::Regex> = LazyLock::new(|| {
        let date = r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
        let time = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?";
        let offset = r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
        regex::Regex::new(&format!("^{date}[Tt]{time}{offset}$")).expect("the pattern is well-formed")
    });
    let Some(found) = RFC3339.captures(text) else { return false };
    let part = |n: usize| found[n].parse::<u32>().expect("digits");
    let (year, month, day) = (part(1), part(2), part(3));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    day <= match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
