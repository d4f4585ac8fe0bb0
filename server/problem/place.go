package problem

import (
	"errors"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// Fault is what is wrong at one place: a word as stable as a Code.
type Fault string

// What may be wrong at a place.
const (
	Wrong    Fault = "wrong"    // nothing more exact is known
	Missing  Fault = "missing"  // must be there
	Unknown  Fault = "unknown"  // names nothing that there is
	Unasked  Fault = "unasked"  // there is no such field, or it does not go with the others
	Either   Fault = "either"   // this or another, not both
	Together Fault = "together" // only with another
	Type     Fault = "type"     // text where a number is wanted, or such; limit says what is wanted
	Form     Fault = "form"     // not written as it must be; limit may be an example
	OneOf    Fault = "one-of"   // limit lists what may be
	Short    Fault = "short"    // limit: how many characters or entries at least
	Long     Fault = "long"     // limit: how many at most
	Least    Fault = "least"    // limit: the smallest
	Most     Fault = "most"     // limit: the greatest
	Twice    Fault = "twice"    // the same more than once
	Early    Fault = "early"    // a time that lies too far back
	Late     Fault = "late"     // a time that has not come yet, or lies too far ahead
	Over     Fault = "over"     // a time that has passed
	Names    Fault = "names"    // it names the person whom it is about
	Same     Fault = "same"     // of a password: one character again and again
	Common   Fault = "common"   // of a password: among those that are tried first
	Name     Fault = "name"     // of a password: the name or login
	Outside  Fault = "outside"  // a position that is none, or beyond what is ours
	Between  Fault = "between"  // limit: the smallest and the greatest
	Far      Fault = "far"      // a time that lies too far ahead; limit may say how many hours it may
	Mixed    Fault = "mixed"    // what is simulated and what is real never join
	Yet      Fault = "yet"      // a property that no feed has said so far; it may be kept with ?force=1
)

// Faults are all of them.
var Faults = []Fault{Wrong, Missing, Unknown, Unasked, Either, Together, Type, Form, OneOf, Short, Long, Least, Most, Twice, Early, Late, Over, Names, Same, Common, Name, Outside, Between, Far, Mixed, Yet}

// Place is one place in what was sent, and what is wrong there.
type Place struct {
	Location string `json:"location,omitempty" doc:"body.items[3].tags, query.limit, path.id"`
	Message  string `json:"message,omitempty" doc:"In English"`
	Code     Fault  `json:"code"`
	Limit    any    `json:"limit,omitempty" doc:"Of the code: how many, how great, which"`
}

// At gives a fault at a place.
func At(location string, code Fault, message string) *Place {
	return &Place{Location: location, Message: message, Code: code}
}

// AtLimit gives a fault at a place with the bound that was passed.
func AtLimit(location string, code Fault, limit any, message string) *Place {
	return &Place{Location: location, Message: message, Code: code, Limit: limit}
}

// Error says where and what.
func (p *Place) Error() string { return strings.TrimPrefix(p.Location+": "+p.Message, ": ") }

// read gives huma's word on a place as ours. What was sent there stays out of it: proxies and logs of clients keep problems, and it may be
// a password.
func read(err error) *Place {
	var place *Place
	if errors.As(err, &place) {
		return place
	}
	var told huma.ErrorDetailer
	if !errors.As(err, &told) {
		return &Place{Message: err.Error(), Code: Wrong}
	}
	detail := told.ErrorDetail()
	p := &Place{Location: detail.Location, Message: detail.Message, Code: Wrong}
	for _, form := range forms {
		found := form.sign.FindStringSubmatch(detail.Message)
		if found == nil {
			continue
		}
		p.Code = form.code
		switch {
		case form.what != "":
			p.Limit = form.what
		case form.code == Missing:
			p.Location = strings.TrimPrefix(p.Location+"."+found[1], ".")
		case len(found) > 1 && form.code != Form:
			p.Limit = found[1]
		}
		break
	}
	return p
}

type form struct {
	sign *regexp.Regexp
	code Fault
	what string // the limit, where the message does not say it
}

// forms are the messages of huma's validation, made of its own constants, so that another version of it cannot say them in another way.
var forms = func() []form {
	made := func(message string, code Fault, what string) form {
		sign := regexp.MustCompile(`%[sdv]`).ReplaceAllString(regexp.QuoteMeta(message), `(.*)`)
		return form{regexp.MustCompile(`^` + sign + `$`), code, what}
	}
	return []form{
		made(validation.MsgUnexpectedProperty, Unasked, ""),
		made(validation.MsgExpectedRequiredProperty, Missing, ""),
		made(validation.MsgExpectedBoolean, Type, "boolean"),
		made(validation.MsgExpectedNumber, Type, "number"),
		made(validation.MsgExpectedInteger, Type, "integer"),
		made(validation.MsgExpectedString, Type, "string"),
		made(validation.MsgExpectedArray, Type, "array"),
		made(validation.MsgExpectedObject, Type, "object"),
		made(validation.MsgExpectedRFC3339DateTime, Type, "time"),
		made(validation.MsgExpectedOneOf, OneOf, ""),
		made(validation.MsgExpectedMinimumNumber, Least, ""),
		made(validation.MsgExpectedMaximumNumber, Most, ""),
		made(validation.MsgExpectedMinLength, Short, ""),
		made(validation.MsgExpectedMaxLength, Long, ""),
		made(validation.MsgExpectedMinItems, Short, ""),
		made(validation.MsgExpectedMaxItems, Long, ""),
		made(validation.MsgExpectedArrayItemsUnique, Twice, ""),
		made(validation.MsgExpectedMatchPattern, Form, ""),
		made(validation.MsgExpectedBePattern, Form, ""),
	}
}()
