//! The functions by name, each with how many arguments it takes: the one table the parser knows them from.

use super::value::SystemType;

/// What a call is compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// Yields true, false or nothing.
    Test(Test),
    /// Yields items.
    Make(Make),
    /// `is(T)`, `as(T)`, `ofType(T)`: the argument is the name of a type.
    Type(TypeTest),
}

/// What is asked about a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeTest {
    Is,
    As,
    OfType,
}

/// Functions that answer a question. They are evaluated to a truth value without building a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Empty,
    Exists,
    All,
    AllTrue,
    AnyTrue,
    AllFalse,
    AnyFalse,
    SubsetOf,
    SupersetOf,
    IsDistinct,
    Not,
    StartsWith,
    EndsWith,
    Contains,
    Matches,
    MatchesFull,
    ConvertsTo(SystemType),
    HasValue,
    HasExtension,
    ConformsTo,
    MemberOf,
    Subsumes,
    SubsumedBy,
    HtmlChecks,
}

/// Functions that yield items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    Where,
    Select,
    Repeat,
    Single,
    First,
    Last,
    Tail,
    Skip,
    Take,
    Intersect,
    Exclude,
    Union,
    Combine,
    Distinct,
    Count,
    Iif,
    Aggregate,
    Children,
    Descendants,
    Trace,
    Now,
    Today,
    TimeOfDay,
    Type,
    To(SystemType),
    Text(Text),
    Math(Math),
    Resolve,
    Extension,
    GetValue,
    ElementDefinition,
    Slice,
    CheckModifiers,
}

/// Functions of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    IndexOf,
    LastIndexOf,
    Substring,
    Upper,
    Lower,
    Replace,
    ReplaceMatches,
    Length,
    ToChars,
    Trim,
    Split,
    Join,
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Math {
    Abs,
    Ceiling,
    Exp,
    Floor,
    Ln,
    Log,
    Power,
    Round,
    Sqrt,
    Truncate,
}

/// One row of the table.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) fewest: u8,
    pub(super) most: u8,
}

const fn test(name: &'static str, test: Test, fewest: u8, most: u8) -> Signature {
    Signature { name, function: Function::Test(test), fewest, most }
}

const fn make(name: &'static str, make: Make, fewest: u8, most: u8) -> Signature {
    Signature { name, function: Function::Make(make), fewest, most }
}

const fn text(name: &'static str, text: Text, fewest: u8, most: u8) -> Signature {
    make(name, Make::Text(text), fewest, most)
}

const fn math(name: &'static str, math: Math, fewest: u8, most: u8) -> Signature {
    make(name, Make::Math(math), fewest, most)
}

const fn typed(name: &'static str, test: TypeTest) -> Signature {
    Signature { name, function: Function::Type(test), fewest: 1, most: 1 }
}

/// Every function: its name, what it is, the fewest and the most arguments.
pub(super) const FUNCTIONS: &[Signature] = &[
    // Existence
    test("empty", Test::Empty, 0, 0),
    test("exists", Test::Exists, 0, 1),
    test("all", Test::All, 1, 1),
    test("allTrue", Test::AllTrue, 0, 0),
    test("anyTrue", Test::AnyTrue, 0, 0),
    test("allFalse", Test::AllFalse, 0, 0),
    test("anyFalse", Test::AnyFalse, 0, 0),
    test("subsetOf", Test::SubsetOf, 1, 1),
    test("supersetOf", Test::SupersetOf, 1, 1),
    make("count", Make::Count, 0, 0),
    make("distinct", Make::Distinct, 0, 0),
    test("isDistinct", Test::IsDistinct, 0, 0),
    // Filtering and projection
    make("where", Make::Where, 1, 1),
    make("select", Make::Select, 1, 1),
    make("repeat", Make::Repeat, 1, 1),
    typed("ofType", TypeTest::OfType),
    // Subsetting
    make("single", Make::Single, 0, 0),
    make("first", Make::First, 0, 0),
    make("last", Make::Last, 0, 0),
    make("tail", Make::Tail, 0, 0),
    make("skip", Make::Skip, 1, 1),
    make("take", Make::Take, 1, 1),
    make("intersect", Make::Intersect, 1, 1),
    make("exclude", Make::Exclude, 1, 1),
    // Combining
    make("union", Make::Union, 1, 1),
    make("combine", Make::Combine, 1, 1),
    // Conversion
    make("iif", Make::Iif, 2, 3),
    make("toBoolean", Make::To(SystemType::Boolean), 0, 0),
    make("toInteger", Make::To(SystemType::Integer), 0, 0),
    make("toDecimal", Make::To(SystemType::Decimal), 0, 0),
    make("toString", Make::To(SystemType::String), 0, 0),
    make("toDate", Make::To(SystemType::Date), 0, 0),
    make("toDateTime", Make::To(SystemType::DateTime), 0, 0),
    make("toTime", Make::To(SystemType::Time), 0, 0),
    make("toQuantity", Make::To(SystemType::Quantity), 0, 1),
    test("convertsToBoolean", Test::ConvertsTo(SystemType::Boolean), 0, 0),
    test("convertsToInteger", Test::ConvertsTo(SystemType::Integer), 0, 0),
    test("convertsToDecimal", Test::ConvertsTo(SystemType::Decimal), 0, 0),
    test("convertsToString", Test::ConvertsTo(SystemType::String), 0, 0),
    test("convertsToDate", Test::ConvertsTo(SystemType::Date), 0, 0),
    test("convertsToDateTime", Test::ConvertsTo(SystemType::DateTime), 0, 0),
    test("convertsToTime", Test::ConvertsTo(SystemType::Time), 0, 0),
    test("convertsToQuantity", Test::ConvertsTo(SystemType::Quantity), 0, 1),
    // Text
    text("indexOf", Text::IndexOf, 1, 1),
    text("lastIndexOf", Text::LastIndexOf, 1, 1),
    text("substring", Text::Substring, 1, 2),
    test("startsWith", Test::StartsWith, 1, 1),
    test("endsWith", Test::EndsWith, 1, 1),
    test("contains", Test::Contains, 1, 1),
    text("upper", Text::Upper, 0, 0),
    text("lower", Text::Lower, 0, 0),
    text("replace", Text::Replace, 2, 2),
    test("matches", Test::Matches, 1, 1),
    test("matchesFull", Test::MatchesFull, 1, 1),
    text("replaceMatches", Text::ReplaceMatches, 2, 2),
    text("length", Text::Length, 0, 0),
    text("toChars", Text::ToChars, 0, 0),
    text("trim", Text::Trim, 0, 0),
    text("split", Text::Split, 1, 1),
    text("join", Text::Join, 0, 1),
    // Math
    math("abs", Math::Abs, 0, 0),
    math("ceiling", Math::Ceiling, 0, 0),
    math("exp", Math::Exp, 0, 0),
    math("floor", Math::Floor, 0, 0),
    math("ln", Math::Ln, 0, 0),
    math("log", Math::Log, 1, 1),
    math("power", Math::Power, 1, 1),
    math("round", Math::Round, 0, 1),
    math("sqrt", Math::Sqrt, 0, 0),
    math("truncate", Math::Truncate, 0, 0),
    // Tree navigation
    make("children", Make::Children, 0, 0),
    make("descendants", Make::Descendants, 0, 0),
    // Utility
    make("trace", Make::Trace, 1, 2),
    make("now", Make::Now, 0, 0),
    make("today", Make::Today, 0, 0),
    make("timeOfDay", Make::TimeOfDay, 0, 0),
    // Logic, types, aggregates
    test("not", Test::Not, 0, 0),
    typed("is", TypeTest::Is),
    typed("as", TypeTest::As),
    make("type", Make::Type, 0, 0),
    make("aggregate", Make::Aggregate, 1, 2),
    // FHIR
    make("resolve", Make::Resolve, 0, 0),
    make("extension", Make::Extension, 1, 1),
    test("hasExtension", Test::HasExtension, 1, 1),
    test("hasValue", Test::HasValue, 0, 0),
    make("getValue", Make::GetValue, 0, 0),
    make("elementDefinition", Make::ElementDefinition, 0, 0),
    make("slice", Make::Slice, 2, 2),
    make("checkModifiers", Make::CheckModifiers, 0, u8::MAX),
    test("conformsTo", Test::ConformsTo, 1, 1),
    test("memberOf", Test::MemberOf, 1, 1),
    test("subsumes", Test::Subsumes, 1, 1),
    test("subsumedBy", Test::SubsumedBy, 1, 1),
    test("htmlChecks", Test::HtmlChecks, 0, 0),
];

/// The function called `name`.
pub(super) fn named(name: &str) -> Option<&'static Signature> {
    FUNCTIONS.iter().find(|signature| signature.name == name)
}
