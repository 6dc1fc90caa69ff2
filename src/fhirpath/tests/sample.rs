//! A hand-made model for tests: enough of R4 to have every kind of type, property and choice.

use std::collections::HashMap;

use crate::fhirpath::model::{Choice, Model, Property, TypeId};

/// `Name Base`, then a line for each property: `name Type`, `name[x] Type Type…`; `*` after a name means it repeats.
const TYPES: &str = "
Element -
  id string
  extension* Extension
BackboneElement Element
  modifierExtension* Extension
Resource -
  id id
  meta Meta
  implicitRules uri
  language code
DomainResource Resource
  text Narrative
  contained* Resource
  extension* Extension
  modifierExtension* Extension
boolean Element
integer Element
positiveInt integer
decimal Element
string Element
code string
id string
markdown string
uri Element
url uri
canonical uri
date Element
dateTime Element
instant Element
time Element
xhtml Element
Narrative Element
  status code
  div xhtml
Meta Element
  versionId id
  lastUpdated instant
  profile* canonical
Extension Element
  url uri
  value[x] string boolean Reference Quantity code CodeableConcept
Identifier Element
  use code
  system uri
  value string
HumanName Element
  use code
  text string
  family string
  given* string
  period Period
Period Element
  start dateTime
  end dateTime
ContactPoint Element
  system code
  value string
Coding Element
  system uri
  code code
  display string
CodeableConcept Element
  coding* Coding
  text string
Reference Element
  reference string
  type uri
  identifier Identifier
  display string
Quantity Element
  value decimal
  comparator code
  unit string
  system uri
  code code
Age Quantity
Attachment Element
  contentType code
  url url
  title string
  creation dateTime
Patient DomainResource
  identifier* Identifier
  active boolean
  name* HumanName
  telecom* ContactPoint
  gender code
  birthDate date
  deceased[x] boolean dateTime
  multipleBirth[x] boolean integer
  contact* Patient.contact
  generalPractitioner* Reference
  managingOrganization Reference
Patient.contact BackboneElement
  name HumanName
  gender code
Organization DomainResource
  name string
Practitioner DomainResource
  name* HumanName
Observation DomainResource
  status code
  code CodeableConcept
  subject Reference
  value[x] Quantity CodeableConcept string boolean integer dateTime Period
  component* Observation.component
  effective[x] dateTime Period instant
Observation.component BackboneElement
  code CodeableConcept
  value[x] Quantity CodeableConcept string
DocumentReference DomainResource
  masterIdentifier Identifier
  identifier* Identifier
  status code
  type CodeableConcept
  category* CodeableConcept
  subject Reference
  date instant
  author* Reference
  authenticator Reference
  custodian Reference
  relatesTo* DocumentReference.relatesTo
  description string
  securityLabel* CodeableConcept
  content* DocumentReference.content
  context DocumentReference.context
DocumentReference.relatesTo BackboneElement
  code code
  target Reference
DocumentReference.content BackboneElement
  attachment Attachment
  format Coding
DocumentReference.context BackboneElement
  encounter* Reference
  event* CodeableConcept
  period Period
  facilityType CodeableConcept
  practiceSetting CodeableConcept
  sourcePatientInfo Reference
  related* Reference
Questionnaire DomainResource
  url uri
  item* Questionnaire.item
Questionnaire.item BackboneElement
  linkId string
  item* Questionnaire.item
Bundle Resource
  type code
  entry* Bundle.entry
Bundle.entry BackboneElement
  fullUrl uri
  resource Resource
";

#[derive(Default)]
struct Type {
    name: String,
    base: Option<TypeId>,
    properties: HashMap<String, Property>,
    choices: HashMap<String, Vec<Choice>>,
}

/// The types of the table above.
pub(crate) struct Sample {
    types: Vec<Type>,
    by_name: HashMap<String, TypeId>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self::read(TYPES)
    }

    pub(crate) fn read(text: &str) -> Self {
        let headers = text.lines().filter(|line| !line.is_empty() && !line.starts_with(' '));
        let mut sample = Self { types: Vec::new(), by_name: HashMap::new() };
        for header in headers {
            let name = header.split(' ').next().unwrap().to_owned();
            sample.by_name.insert(name.clone(), TypeId(sample.types.len() as u16));
            sample.types.push(Type { name, ..Type::default() });
        }
        let mut at = TypeId(0);
        for line in text.lines().filter(|line| !line.is_empty()) {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap();
            if line.starts_with(' ') {
                let types = words.map(|word| sample.by_name[word]).collect::<Vec<_>>();
                sample.add(at, name, &types);
            } else {
                at = sample.by_name[name];
                let base = sample.by_name.get(words.next().unwrap()).copied();
                sample.types[usize::from(at.0)].base = base;
            }
        }
        sample
    }

    fn add(&mut self, to: TypeId, name: &str, types: &[TypeId]) {
        let repeats = name.ends_with('*');
        let name = name.trim_end_matches('*');
        let Some(stem) = name.strip_suffix("[x]") else {
            let property = Property { type_id: types[0], repeats };
            self.types[usize::from(to.0)].properties.insert(name.to_owned(), property);
            return;
        };
        let mut choices = Vec::new();
        for type_id in types {
            let of = &self.types[usize::from(type_id.0)].name;
            let property = format!("{stem}{}{}", of[..1].to_uppercase(), &of[1..]);
            choices.push(Choice { property: property.clone().into(), type_id: *type_id });
            self.types[usize::from(to.0)].properties.insert(property, Property { type_id: *type_id, repeats: false });
        }
        self.types[usize::from(to.0)].choices.insert(stem.to_owned(), choices);
    }

    fn lineage(&self, of: TypeId) -> impl Iterator<Item = &Type> {
        let first = self.types.get(usize::from(of.0));
        std::iter::successors(first, |at| self.types.get(usize::from(at.base?.0)))
    }
}

impl Model for Sample {
    fn type_named(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    fn type_name(&self, type_id: TypeId) -> &str {
        let name = &self.types[usize::from(type_id.0)].name;
        if name.contains('.') { "BackboneElement" } else { name }
    }

    fn base(&self, type_id: TypeId) -> Option<TypeId> {
        self.types[usize::from(type_id.0)].base
    }

    fn property(&self, of: TypeId, name: &str) -> Option<Property> {
        self.lineage(of).find_map(|at| at.properties.get(name)).copied()
    }

    fn choices(&self, of: TypeId, name: &str) -> &[Choice] {
        self.lineage(of).find_map(|at| at.choices.get(name)).map_or(&[], Vec::as_slice)
    }
}
