//! Units of UCUM brought to base units, so that 1 g is found as 1000 mg (R4 search.html §quantity).
//!
//! Known are the prefixes, the base units, the units derived from them that medicine writes, and any term of these. A unit that is
//! not known is compared as it is written. Amounts of substance, arbitrary units and counts are kept apart: no molar mass turns one
//! into another.

use std::collections::BTreeMap;

/// The longest unit that is read.
const MAX_UNIT_BYTES: usize = 64;
/// How deep parentheses are read.
const MAX_DEPTH: usize = 8;
/// The digits that a number in base units keeps, fewer than a double has: what is equal stays so however it was measured.
const SIGNIFICANT_DIGITS: usize = 12;
/// The largest power of ten and exponent that is read.
const MAX_EXPONENT: i32 = 30;

/// A unit in terms of base units.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BaseUnit {
    /// Its name: base units and their powers, in the order of their codes.
    pub(super) code: String,
    factor: f64,
    offset: f64,
}

impl BaseUnit {
    /// What the unit with this code of UCUM is in base units; `None` where it is not known.
    pub(super) fn read(code: &str) -> Option<Self> {
        if code.len() > MAX_UNIT_BYTES {
            return None;
        }
        if let Some((_, factor, offset)) = OFFSET.iter().find(|(special, ..)| *special == code) {
            return Some(Self { code: "K".to_owned(), factor: *factor, offset: *offset });
        }
        let (measure, rest) = terms(code, 0)?;
        rest.is_empty().then(|| measure.named())
    }

    /// The number `value` of this unit, in base units.
    pub(super) fn amount(&self, value: f64) -> f64 {
        let exact = value * self.factor + self.offset;
        if !exact.is_finite() {
            return exact;
        }
        let digits = SIGNIFICANT_DIGITS - 1;
        format!("{exact:.digits$e}").parse().unwrap_or(exact)
    }
}

/// A number of base units.
#[derive(Clone, Debug, Default, PartialEq)]
struct Measure {
    factor: f64,
    powers: BTreeMap<&'static str, i32>,
}

impl Measure {
    fn number(factor: f64) -> Self {
        Self { factor, powers: BTreeMap::new() }
    }

    fn times(mut self, other: &Self, exponent: i32) -> Self {
        self.factor *= other.factor.powi(exponent);
        for (base, power) in &other.powers {
            *self.powers.entry(base).or_default() += power * exponent;
        }
        self
    }

    fn named(self) -> BaseUnit {
        let powers = self.powers.iter().filter(|(_, power)| **power != 0);
        let code = powers.map(|(base, power)| if *power == 1 { (*base).to_owned() } else { format!("{base}{power}") });
        let code = code.collect::<Vec<_>>().join(".");
        BaseUnit { code: if code.is_empty() { "1".to_owned() } else { code }, factor: self.factor, offset: 0.0 }
    }
}

/// `term = component {("." | "/") component}`, and what follows it.
fn terms(text: &str, depth: usize) -> Option<(Measure, &str)> {
    let (mut whole, mut rest) = match text.strip_prefix('/') {
        Some(_) => (Measure::number(1.0), text),
        None => component(text, depth)?,
    };
    loop {
        let (exponent, after) = match rest.as_bytes().first() {
            Some(b'.') => (1, rest.get(1..)?),
            Some(b'/') => (-1, rest.get(1..)?),
            _ => return Some((whole, rest)),
        };
        let (measure, after) = component(after, depth)?;
        (whole, rest) = (whole.times(&measure, exponent), after);
    }
}

/// `( term )`, or a unit with its exponent, or a factor; an annotation says nothing.
fn component(text: &str, depth: usize) -> Option<(Measure, &str)> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(inner) = text.strip_prefix('(') {
        let (measure, rest) = terms(inner, depth + 1)?;
        return Some((measure, rest.strip_prefix(')')?));
    }
    if text.starts_with('{') {
        return Some((Measure::number(1.0), annotated(text)?));
    }
    let (symbol, rest) = text.split_at(symbol_length(text));
    if !symbol.is_empty() && symbol.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((Measure::number(symbol.parse().ok()?), annotated(rest)?));
    }
    let (unit, exponent) = exponent(symbol)?;
    Some((Measure::number(1.0).times(&simple(unit)?, exponent), annotated(rest)?))
}

/// How long the symbol is that `text` begins with; what stands in brackets belongs to it whatever it holds.
fn symbol_length(text: &str) -> usize {
    let mut in_brackets = false;
    let ends = |(_, byte): &(usize, u8)| {
        match byte {
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            _ => {}
        }
        !in_brackets && matches!(byte, b'.' | b'/' | b'(' | b')' | b'{')
    };
    text.bytes().enumerate().find(ends).map_or(text.len(), |(at, _)| at)
}

/// What follows an annotation, if there is one.
fn annotated(text: &str) -> Option<&str> {
    match text.strip_prefix('{') {
        Some(annotation) => annotation.split_once('}').map(|(_, rest)| rest),
        None => Some(text),
    }
}

/// `m2`, `s-1`, `10*3`: the unit and its exponent.
fn exponent(symbol: &str) -> Option<(&str, i32)> {
    let digits = symbol.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (unit, number) = symbol.split_at(symbol.len() - digits);
    if digits == 0 {
        return Some((unit, 1));
    }
    let sign = unit.len() - usize::from(unit.ends_with(['-', '+']));
    let (unit, sign) = unit.split_at(sign);
    let exponent = number.parse::<i32>().ok().filter(|exponent| *exponent <= MAX_EXPONENT)?;
    Some((unit, if sign == "-" { -exponent } else { exponent }))
}

/// A unit without exponent: as it stands, or a metric one with its prefix.
fn simple(symbol: &str) -> Option<Measure> {
    if let Some(found) = UNITS.iter().find(|unit| unit.0 == symbol) {
        return measure(found);
    }
    let prefixed = |(prefix, factor): &(&str, f64)| {
        let rest = symbol.strip_prefix(prefix)?;
        let unit = UNITS.iter().find(|(code, metric, ..)| *metric && *code == rest)?;
        measure(unit).map(|measure| Measure { factor: measure.factor * factor, ..measure })
    };
    PREFIXES.iter().find_map(prefixed)
}

fn measure((code, _, factor, of): &Unit) -> Option<Measure> {
    if of.is_empty() {
        return Some(Measure { factor: *factor, powers: BTreeMap::from([(*code, 1)]) });
    }
    let (measure, rest) = terms(of, 0)?;
    rest.is_empty().then(|| Measure { factor: measure.factor * factor, ..measure })
}

/// Code, whether it takes prefixes, how many of what it is; of nothing: a base unit.
type Unit = (&'static str, bool, f64, &'static str);

const PREFIXES: &[(&str, f64)] = &[
    ("da", 1e1),
    ("Ki", 1_024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Y", 1e24),
    ("Z", 1e21),
    ("E", 1e18),
    ("P", 1e15),
    ("T", 1e12),
    ("G", 1e9),
    ("M", 1e6),
    ("k", 1e3),
    ("h", 1e2),
    ("d", 1e-1),
    ("c", 1e-2),
    ("m", 1e-3),
    ("u", 1e-6),
    ("n", 1e-9),
    ("p", 1e-12),
    ("f", 1e-15),
    ("a", 1e-18),
    ("z", 1e-21),
    ("y", 1e-24),
];

/// Temperatures whose zero is elsewhere: how many kelvins, and how many at zero.
const OFFSET: &[(&str, f64, f64)] = &[("Cel", 1.0, 273.15), ("[degF]", 5.0 / 9.0, 459.67 * 5.0 / 9.0)];

const UNITS: &[Unit] = &[
    // Base units; the last ones cannot be turned into anything else.
    ("m", true, 1.0, ""),
    ("s", true, 1.0, ""),
    ("g", true, 1.0, ""),
    ("K", true, 1.0, ""),
    ("C", true, 1.0, ""),
    ("cd", true, 1.0, ""),
    ("mol", true, 1.0, ""),
    ("By", true, 1.0, ""),
    ("[iU]", true, 1.0, ""),
    ("[arb'U]", false, 1.0, ""),
    ("[USP'U]", false, 1.0, ""),
    ("[CFU]", false, 1.0, ""),
    ("[FFU]", false, 1.0, ""),
    ("[PFU]", false, 1.0, ""),
    ("[TCID_50]", false, 1.0, ""),
    ("[EID_50]", false, 1.0, ""),
    ("[GPL'U]", false, 1.0, ""),
    ("[MPL'U]", false, 1.0, ""),
    ("[APL'U]", false, 1.0, ""),
    ("[ELU]", false, 1.0, ""),
    ("[EU]", false, 1.0, ""),
    ("[BAU]", false, 1.0, ""),
    ("[Lf]", false, 1.0, ""),
    ("[pH]", false, 1.0, ""),
    ("[HPF]", false, 1.0, ""),
    ("[LPF]", false, 1.0, ""),
    ("[drp]", false, 1.0, ""),
    // Numbers.
    ("1", false, 1.0, "1"),
    ("10*", false, 10.0, "1"),
    ("10^", false, 10.0, "1"),
    ("%", false, 0.01, "1"),
    ("[ppth]", false, 1e-3, "1"),
    ("[ppm]", false, 1e-6, "1"),
    ("[ppb]", false, 1e-9, "1"),
    ("[pi]", false, std::f64::consts::PI, "1"),
    ("rad", true, 1.0, "1"),
    ("sr", true, 1.0, "1"),
    ("deg", false, std::f64::consts::PI / 180.0, "1"),
    // Time.
    ("min", false, 60.0, "s"),
    ("h", false, 3_600.0, "s"),
    ("d", false, 86_400.0, "s"),
    ("wk", false, 604_800.0, "s"),
    ("mo", false, 2_629_800.0, "s"),
    ("mo_j", false, 2_629_800.0, "s"),
    ("a", false, 31_557_600.0, "s"),
    ("a_j", false, 31_557_600.0, "s"),
    // Derived units of the International System.
    ("Hz", true, 1.0, "s-1"),
    ("Bq", true, 1.0, "s-1"),
    ("N", true, 1_000.0, "g.m.s-2"),
    ("Pa", true, 1_000.0, "g.m-1.s-2"),
    ("J", true, 1_000.0, "g.m2.s-2"),
    ("W", true, 1_000.0, "g.m2.s-3"),
    ("A", true, 1.0, "C.s-1"),
    ("V", true, 1_000.0, "g.m2.s-2.C-1"),
    ("F", true, 1e-3, "C2.s2.g-1.m-2"),
    ("Ohm", true, 1_000.0, "g.m2.s-1.C-2"),
    ("S", true, 1e-3, "C2.s.g-1.m-2"),
    ("Wb", true, 1_000.0, "g.m2.s-1.C-1"),
    ("T", true, 1_000.0, "g.s-1.C-1"),
    ("H", true, 1_000.0, "g.m2.C-2"),
    ("lm", true, 1.0, "cd"),
    ("lx", true, 1.0, "cd.m-2"),
    ("Gy", true, 1.0, "m2.s-2"),
    ("Sv", true, 1.0, "m2.s-2"),
    ("kat", true, 1.0, "mol.s-1"),
    ("U", true, 1e-6 / 60.0, "mol.s-1"),
    ("eq", true, 1.0, "mol"),
    ("osm", true, 1.0, "mol"),
    ("[IU]", true, 1.0, "[iU]"),
    // Others that are measured with.
    ("l", true, 1e-3, "m3"),
    ("L", true, 1e-3, "m3"),
    ("t", true, 1e6, "g"),
    ("u", true, 1.660_540_2e-24, "g"),
    ("bar", true, 1e8, "g.m-1.s-2"),
    ("atm", false, 101_325_000.0, "g.m-1.s-2"),
    ("m[Hg]", true, 133_322_000.0, "g.m-1.s-2"),
    ("m[H2O]", true, 9_806_650.0, "g.m-1.s-2"),
    ("[psi]", false, 6_894_757.293_168_36, "g.m-1.s-2"),
    ("cal", true, 4_184.0, "g.m2.s-2"),
    ("cal_th", true, 4_184.0, "g.m2.s-2"),
    ("cal_IT", true, 4_186.8, "g.m2.s-2"),
    ("[Cal]", false, 4_184_000.0, "g.m2.s-2"),
    ("eV", true, 1.602_177_33e-16, "g.m2.s-2"),
    ("dyn", true, 1e-2, "g.m.s-2"),
    ("erg", true, 1e-4, "g.m2.s-2"),
    ("P", true, 100.0, "g.m-1.s-1"),
    ("St", true, 1e-4, "m2.s-1"),
    ("Ci", true, 3.7e10, "s-1"),
    ("RAD", true, 1e-2, "m2.s-2"),
    ("REM", true, 1e-2, "m2.s-2"),
    ("G", true, 0.1, "g.s-1.C-1"),
    ("g%", true, 1e4, "g.m-3"),
    ("Ao", false, 1e-10, "m"),
    ("[diop]", true, 1.0, "m-1"),
    ("ar", true, 100.0, "m2"),
    ("bit", true, 0.125, "By"),
    // Of the United States and the United Kingdom.
    ("[in_i]", false, 0.025_4, "m"),
    ("[ft_i]", false, 0.304_8, "m"),
    ("[yd_i]", false, 0.914_4, "m"),
    ("[mi_i]", false, 1_609.344, "m"),
    ("[nmi_i]", false, 1_852.0, "m"),
    ("[in_us]", false, 100.0 / 3_937.0, "m"),
    ("[ft_us]", false, 1_200.0 / 3_937.0, "m"),
    ("[mi_us]", false, 6_336_000.0 / 3_937.0, "m"),
    ("[sin_i]", false, 0.000_645_16, "m2"),
    ("[gr]", false, 0.064_798_91, "g"),
    ("[oz_av]", false, 28.349_523_125, "g"),
    ("[lb_av]", false, 453.592_37, "g"),
    ("[stone_av]", false, 6_350.293_18, "g"),
    ("[gal_us]", false, 0.003_785_411_784, "m3"),
    ("[qt_us]", false, 0.000_946_352_946, "m3"),
    ("[pt_us]", false, 0.000_473_176_473, "m3"),
    ("[foz_us]", false, 0.000_029_573_529_562_5, "m3"),
    ("[cup_us]", false, 0.000_236_588_236_5, "m3"),
    ("[tbs_us]", false, 0.000_014_786_764_781_25, "m3"),
    ("[tsp_us]", false, 0.000_004_928_921_593_75, "m3"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_same(value: f64, code: &str, other_value: f64, other: &str) -> bool {
        let (one, two) = (BaseUnit::read(code).unwrap(), BaseUnit::read(other).unwrap());
        one.code == two.code && one.amount(value) == two.amount(other_value)
    }

    #[test]
    fn what_is_measured_alike_is_the_same() {
        let table = [
            (1.0, "g", 1_000.0, "mg"),
            (1.0, "kg", 1e6, "mg"),
            (5.4, "mmol/L", 5.4, "mol/m3"),
            (5.4, "mmol/L", 0.54, "mmol/dL"),
            (0.3, "mg/dL", 3.0, "ug/mL"),
            (120.0, "mm[Hg]", 12.0, "cm[Hg]"),
            (1.0, "h", 60.0, "min"),
            (37.0, "Cel", 310.15, "K"),
            (98.6, "[degF]", 37.0, "Cel"),
            (1.0, "[lb_av]", 453.592_37, "g"),
            (5.0, "10*9/L", 5_000.0, "10*6/L"),
            (5.0, "10*3/uL", 5.0, "10*9/L"),
            (1.0, "/min", 60.0, "/h"),
            (72.0, "{beats}/min", 72.0, "/min"),
            (1.0, "kg.m/s2", 1.0, "N"),
            (1.0, "kcal", 1_000.0, "cal"),
            (60.0, "U/L", 1.0, "umol/s/L"),
            (1.0, "m/(s.s)", 1.0, "m.s-2"),
            (150.0, "m[iU]/mL", 150.0, "[IU]/L"),
            (25.0, "%", 0.25, "1"),
        ];
        for (value, code, other_value, other) in table {
            assert!(is_same(value, code, other_value, other), "{value} {code} = {other_value} {other}");
        }
        assert!(!is_same(1.0, "g", 1.0, "Mg"));
        assert_ne!(BaseUnit::read("mmol/L").unwrap().code, BaseUnit::read("mg/L").unwrap().code);
    }

    #[test]
    fn what_is_no_unit_is_not_known() {
        for code in ["", "xyz", "mg/", "(g", "m99", "kmin", "{x", "g)", "milligram", "µg"] {
            assert_eq!(BaseUnit::read(code), None, "{code}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(code in "[-a-zA-Z0-9./(){}\\[\\]%*^é']{0,70}") {
            let _ = BaseUnit::read(&code);
        }
    }
}
