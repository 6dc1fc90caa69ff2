//! Tokens to a program: operator precedence after Pratt, as the N1 grammar orders it.

use std::borrow::Cow;

use super::error::ParseError;
use super::function::{self, Function, Make, Test, Text, TypeTest};
use super::lexer::{Lexer, Token};
use super::limit::{MAX_DEPTH, MAX_EXPRESSION_BYTES};
use super::program::{Arguments, Arithmetic, Equality, Logic, Op, OpId, Order, Program, TypeReference};
use super::temporal::{CalendarUnit, Temporal};
use super::value::{SystemType, Unit, Value};
use crate::fhir::decimal::Decimal;

pub(super) fn parse(source: &str) -> Result<Program, ParseError> {
    if source.len() > MAX_EXPRESSION_BYTES {
        return Err(ParseError { offset: 0, message: format!("the expression is longer than {MAX_EXPRESSION_BYTES} bytes") });
    }
    let mut parser = Parser { lexer: Lexer::new(source), token: Token::End, at: 0, program: Program::default(), depth: 0 };
    parser.advance()?;
    let root = parser.expression(Binding::Loosest)?;
    if parser.token != Token::End {
        return Err(parser.unexpected("the end of the expression"));
    }
    parser.program.finish(root);
    Ok(parser.program)
}

/// How tightly operators bind, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Loosest,
    Implies,
    Or,
    And,
    Membership,
    Equality,
    Inequality,
    Union,
    Type,
    Additive,
    Multiplicative,
}

/// What stands between two operands.
#[derive(Clone, Copy)]
enum Infix {
    Logic(Logic),
    In,
    Contains,
    Equality(Equality),
    Order(Order),
    Union,
    Type(TypeTest),
    Arithmetic(Arithmetic),
}

impl Infix {
    fn of(token: &Token<'_>) -> Option<(Self, Binding)> {
        let (Token::Word(word) | Token::Mark(word)) = token else { return None };
        Some(match *word {
            "implies" => (Self::Logic(Logic::Implies), Binding::Implies),
            "or" => (Self::Logic(Logic::Or), Binding::Or),
            "xor" => (Self::Logic(Logic::Xor), Binding::Or),
            "and" => (Self::Logic(Logic::And), Binding::And),
            "in" => (Self::In, Binding::Membership),
            "contains" => (Self::Contains, Binding::Membership),
            "=" => (Self::Equality(Equality::Equal), Binding::Equality),
            "!=" => (Self::Equality(Equality::NotEqual), Binding::Equality),
            "~" => (Self::Equality(Equality::Equivalent), Binding::Equality),
            "!~" => (Self::Equality(Equality::NotEquivalent), Binding::Equality),
            "<" => (Self::Order(Order::Less), Binding::Inequality),
            "<=" => (Self::Order(Order::LessOrEqual), Binding::Inequality),
            ">" => (Self::Order(Order::Greater), Binding::Inequality),
            ">=" => (Self::Order(Order::GreaterOrEqual), Binding::Inequality),
            "|" => (Self::Union, Binding::Union),
            "is" => (Self::Type(TypeTest::Is), Binding::Type),
            "as" => (Self::Type(TypeTest::As), Binding::Type),
            "+" => (Self::Arithmetic(Arithmetic::Add), Binding::Additive),
            "-" => (Self::Arithmetic(Arithmetic::Subtract), Binding::Additive),
            "&" => (Self::Arithmetic(Arithmetic::Concatenate), Binding::Additive),
            "*" => (Self::Arithmetic(Arithmetic::Multiply), Binding::Multiplicative),
            "/" => (Self::Arithmetic(Arithmetic::Divide), Binding::Multiplicative),
            "div" => (Self::Arithmetic(Arithmetic::Div), Binding::Multiplicative),
            "mod" => (Self::Arithmetic(Arithmetic::Mod), Binding::Multiplicative),
            _ => return None,
        })
    }
}

struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token<'s>,
    at: usize,
    program: Program,
    depth: u16,
}

impl<'s> Parser<'s> {
    fn advance(&mut self) -> Result<Token<'s>, ParseError> {
        let (token, at) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        self.error(format!("{wanted} was expected here"))
    }

    fn error(&self, message: String) -> ParseError {
        ParseError { offset: self.at, message }
    }

    fn accept(&mut self, mark: &str) -> Result<bool, ParseError> {
        let found = matches!(self.token, Token::Mark(here) if here == mark);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, mark: &str) -> Result<(), ParseError> {
        if self.accept(mark)? { Ok(()) } else { Err(self.unexpected(mark)) }
    }

    /// An expression whose operators all bind tighter than `least`.
    fn expression(&mut self, least: Binding) -> Result<OpId, ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(format!("the expression is nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let mut left = self.operand()?;
        while let Some((infix, binding)) = Infix::of(&self.token)
            && binding > least
        {
            let offset = self.at;
            self.advance()?;
            left = if let Infix::Type(test) = infix {
                let of = self.type_name()?;
                self.type_test(left, test, of, offset)?
            } else {
                let right = self.expression(binding)?;
                self.program.push(join(infix, left, right), offset)?
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<OpId, ParseError> {
        let offset = self.at;
        // A sign binds tighter than every operator between two operands, and looser than a point or a bracket.
        if self.accept("-")? {
            let of = self.expression(Binding::Multiplicative)?;
            return self.program.push(Op::Negate(of), offset);
        }
        if self.accept("+")? {
            let of = self.expression(Binding::Multiplicative)?;
            return self.program.push(Op::Affirm(of), offset);
        }
        let mut base = self.term()?;
        loop {
            let offset = self.at;
            if self.accept(".")? {
                base = self.invocation(base)?;
            } else if self.accept("[")? {
                let index = self.expression(Binding::Loosest)?;
                self.expect("]")?;
                base = self.program.push(Op::At { base, index }, offset)?;
            } else {
                return Ok(base);
            }
        }
    }

    fn term(&mut self) -> Result<OpId, ParseError> {
        let offset = self.at;
        match self.advance()? {
            Token::Mark("(") => {
                let inner = self.expression(Binding::Loosest)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Mark("{") => {
                self.expect("}")?;
                self.program.push(Op::Nothing, offset)
            }
            Token::Text(text) => self.literal(Value::String(Cow::Owned(text.into_owned())), offset),
            Token::Number(digits) => self.number(digits, offset),
            Token::Date(text) => match Temporal::parse(text) {
                Some(date) => self.literal(Value::Temporal(date), offset),
                None => Err(ParseError { offset, message: "a date that is none".into() }),
            },
            Token::Time(text) => match Temporal::parse_time(text) {
                Some(time) => self.literal(Value::Temporal(time), offset),
                None => Err(ParseError { offset, message: "a time of day that is none".into() }),
            },
            Token::External(name) => {
                let name = self.program.name(&name);
                self.program.push(Op::External(name), offset)
            }
            Token::Special("this") => self.program.push(Op::This, offset),
            Token::Special("index") => self.program.push(Op::Index, offset),
            Token::Special("total") => self.program.push(Op::Total, offset),
            Token::Word("true") => self.literal(Value::Boolean(true), offset),
            Token::Word("false") => self.literal(Value::Boolean(false), offset),
            Token::Word(word) if !is_reserved(word) => self.leading(word, offset),
            Token::Delimited(name) => self.leading(&name, offset),
            Token::Word(_) | Token::Special(_) | Token::Mark(_) | Token::End => {
                Err(ParseError { offset, message: "a value, a name or a function was expected here".into() })
            }
        }
    }

    fn literal(&mut self, value: Value<'static>, offset: usize) -> Result<OpId, ParseError> {
        let literal = self.program.literal(value);
        self.program.push(Op::Literal(literal), offset)
    }

    fn number(&mut self, digits: &str, offset: usize) -> Result<OpId, ParseError> {
        // A literal may begin with zeros, which a FHIR decimal may not.
        let significant = digits.trim_start_matches('0');
        let zero = if significant.is_empty() || significant.starts_with('.') { "0" } else { "" };
        let Ok(number) = Decimal::parse(&format!("{zero}{significant}")) else {
            return Err(ParseError { offset, message: "a number that is none".into() });
        };
        let unit = match &self.token {
            Token::Text(code) => Some(match CalendarUnit::parse(code) {
                Some(word) => Unit::Calendar(word),
                None => Unit::Coded(Cow::Owned(code.clone().into_owned())),
            }),
            Token::Word(word) => CalendarUnit::parse(word).map(Unit::Calendar),
            _ => None,
        };
        if let Some(unit) = unit {
            self.advance()?;
            return self.literal(Value::quantity(number, unit), offset);
        }
        let integer = if digits.contains('.') { None } else { digits.parse().ok() };
        self.literal(integer.map_or(Value::Decimal(number), Value::Integer), offset)
    }

    /// A name or a function with nothing before it.
    fn leading(&mut self, name: &str, offset: usize) -> Result<OpId, ParseError> {
        if self.token != Token::Mark("(") && name.starts_with(|first: char| first.is_ascii_uppercase()) {
            let name = self.program.name(name);
            return self.program.push(Op::Root(name), offset);
        }
        let this = self.program.push(Op::This, offset)?;
        self.named(this, name, offset)
    }

    /// What follows a point.
    fn invocation(&mut self, base: OpId) -> Result<OpId, ParseError> {
        let offset = self.at;
        match self.advance()? {
            Token::Word(word) => self.named(base, word, offset),
            Token::Delimited(name) => self.named(base, &name, offset),
            Token::Special("this") => Ok(base),
            Token::Special("index") => self.program.push(Op::Index, offset),
            Token::Special("total") => self.program.push(Op::Total, offset),
            _ => Err(ParseError { offset, message: "a name or a function was expected here".into() }),
        }
    }

    fn named(&mut self, base: OpId, name: &str, offset: usize) -> Result<OpId, ParseError> {
        if self.accept("(")? {
            return self.call(base, name, offset);
        }
        let name = self.program.name(name);
        self.program.push(Op::Member { base, name }, offset)
    }

    fn call(&mut self, base: OpId, name: &str, offset: usize) -> Result<OpId, ParseError> {
        let Some(signature) = function::named(name) else {
            return Err(ParseError { offset, message: format!("there is no function {name}()") });
        };
        if let Function::Type(test) = signature.function {
            let of = self.type_name()?;
            self.expect(")")?;
            return self.type_test(base, test, of, offset);
        }
        let mut arguments = Vec::new();
        if !self.accept(")")? {
            loop {
                arguments.push(self.expression(Binding::Loosest)?);
                if !self.accept(",")? {
                    break;
                }
            }
            self.expect(")")?;
        }
        let (fewest, most) = (usize::from(signature.fewest), usize::from(signature.most));
        if !(fewest..=most).contains(&arguments.len()) {
            let message = format!("{name}() takes {fewest} to {most} arguments, here are {}", arguments.len());
            return Err(ParseError { offset, message });
        }
        let Some(compiled) = self.program.call(&arguments) else {
            return Err(ParseError { offset, message: format!("{name}() has too many arguments") });
        };
        self.push_call(base, signature.function, compiled, offset)
    }

    fn push_call(&mut self, base: OpId, function: Function, arguments: Arguments, offset: usize) -> Result<OpId, ParseError> {
        let arguments = if takes_pattern(function) && self.has_literal_pattern(arguments) {
            self.program.with_pattern(arguments)
        } else {
            arguments
        };
        let op = match function {
            Function::Test(test) => Op::Test { base, test, arguments },
            Function::Make(make) => Op::Make { base, make, arguments },
            Function::Type(_) => Op::Nothing,
        };
        self.program.push(op, offset)
    }

    fn has_literal_pattern(&self, arguments: Arguments) -> bool {
        let first = self.program.arguments(arguments).first();
        first.is_some_and(|first| matches!(self.program.op(*first), Op::Literal(_)))
    }

    fn type_name(&mut self) -> Result<TypeReference, ParseError> {
        let first = self.type_word()?;
        if !self.accept(".")? {
            return Ok(match SystemType::named(&first) {
                // FHIR has a Quantity of its own, and it is the one meant where no namespace says otherwise.
                Some(system) if system != SystemType::Quantity => TypeReference::System(system),
                _ => TypeReference::Fhir(self.program.name(&first)),
            });
        }
        let name = self.type_word()?;
        match &*first {
            "System" => match SystemType::named(&name) {
                Some(system) => Ok(TypeReference::System(system)),
                None => Err(self.error(format!("there is no type System.{name}"))),
            },
            "FHIR" => Ok(TypeReference::Fhir(self.program.name(&name))),
            _ => Err(self.error(format!("there is no namespace {first}"))),
        }
    }

    fn type_word(&mut self) -> Result<Cow<'s, str>, ParseError> {
        match self.advance()? {
            Token::Word(word) => Ok(Cow::Borrowed(word)),
            Token::Delimited(name) => Ok(name),
            _ => Err(self.unexpected("the name of a type")),
        }
    }

    fn type_test(&mut self, base: OpId, test: TypeTest, of: TypeReference, offset: usize) -> Result<OpId, ParseError> {
        let op = match (test, self.program.op(base)) {
            (TypeTest::Is, Op::Make { base, make: Make::Resolve, .. }) => Op::ResolvesTo { base, of },
            (test, _) => Op::Type { base, test, of },
        };
        self.program.push(op, offset)
    }
}

fn join(infix: Infix, left: OpId, right: OpId) -> Op {
    match infix {
        Infix::Logic(logic) => Op::Logic(logic, left, right),
        Infix::In => Op::In(left, right),
        Infix::Contains => Op::Contains(left, right),
        Infix::Equality(equality) => Op::Equality(equality, left, right),
        Infix::Order(order) => Op::Order(order, left, right),
        Infix::Union => Op::Union(left, right),
        Infix::Arithmetic(arithmetic) => Op::Arithmetic(arithmetic, left, right),
        // The right side of a type operator is no operation; the caller has dealt with it.
        Infix::Type(_) => Op::Nothing,
    }
}

fn takes_pattern(function: Function) -> bool {
    matches!(function, Function::Test(Test::Matches | Test::MatchesFull) | Function::Make(Make::Text(Text::ReplaceMatches)))
}

/// Words that are operators wherever a value could stand; `as is in contains` are names too.
fn is_reserved(word: &str) -> bool {
    matches!(word, "and" | "or" | "xor" | "implies" | "div" | "mod")
}
