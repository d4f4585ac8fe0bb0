package people

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/book"
)

// tries against other writes: a shift of people may sign in within one minute.
const tries = 50

// Store keeps accounts. Safe for concurrent use.
type Store struct {
	rdb  redis.UniversalClient
	keys keyspace.Keys
	now  func() time.Time
	book *book.Book
}

// NewStore gives the accounts of a jurisdiction.
func NewStore(rdb redis.UniversalClient, keys keyspace.Keys, now func() time.Time) *Store {
	return &Store{rdb: rdb, keys: keys, now: now}
}

// Book has every account written in one step with its audit record. Call it before anything is written.
func (s *Store) Book(b *book.Book) { s.book = b }

// Get gives an account by id. Errors: ErrNoPerson; any other: the store does not answer.
func (s *Store) Get(ctx context.Context, id string) (Person, error) {
	return read(s.rdb.HGet(ctx, s.keys.Person(), id).Bytes())
}

// ByLogin gives an account by login. Errors: as Get.
func (s *Store) ByLogin(ctx context.Context, login string) (Person, error) {
	id, err := s.rdb.HGet(ctx, s.keys.PersonLogin(), Login(login)).Result()
	if errors.Is(err, redis.Nil) {
		return Person{}, ErrNoPerson
	} else if err != nil {
		return Person{}, fmt.Errorf("account %q: %w", login, err)
	}
	return s.Get(ctx, id)
}

func read(text []byte, err error) (Person, error) {
	if errors.Is(err, redis.Nil) {
		return Person{}, ErrNoPerson
	} else if err != nil {
		return Person{}, fmt.Errorf("account: %w", err)
	}
	var p Person
	if err := json.Unmarshal(text, &p); err != nil {
		return Person{}, fmt.Errorf("account: %w", err)
	}
	return p, nil
}

// List gives every account, by login. There are hundreds at most.
func (s *Store) List(ctx context.Context) ([]Person, error) {
	all, err := s.rdb.HGetAll(ctx, s.keys.Person()).Result()
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	out := make([]Person, 0, len(all))
	for _, text := range all {
		p, err := read([]byte(text), nil)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Person) int { return cmp.Compare(a.Login, b.Login) })
	return out, nil
}

// Create makes an account; id, version and times are given. Errors: *Fault, ErrTaken.
func (s *Store) Create(ctx context.Context, p Person) (Person, error) {
	p.V, p.Login = 1, Login(p.Login)
	if err := p.Validate(); err != nil {
		return Person{}, err
	}
	p.ID, p.Version, p.CreatedAt = ulid.Make().String(), 1, moment.Of(s.now())
	p.ChangedAt = p.CreatedAt
	err := s.alone(ctx, func(tx *redis.Tx) error {
		taken, err := tx.HExists(ctx, s.keys.PersonLogin(), p.Login).Result()
		if err != nil {
			return err
		}
		if taken {
			return ErrTaken
		}
		return s.write(ctx, tx, p)
	})
	return p, err
}

// Change changes an account by a function, as one step. version is the one that was seen; 0: whatever it is now. Errors: *Fault,
// ErrNoPerson, ErrStale, and what the function gives.
func (s *Store) Change(ctx context.Context, id string, version int64, change func(*Person) error) (Person, error) {
	var out Person
	err := s.alone(ctx, func(tx *redis.Tx) error {
		p, err := read(tx.HGet(ctx, s.keys.Person(), id).Bytes())
		if err != nil {
			return err
		}
		if version != 0 && p.Version != version {
			return ErrStale
		}
		login := p.Login
		if err := change(&p); err != nil {
			return err
		}
		p.ID, p.Login, p.V = id, login, 1
		if err := p.Validate(); err != nil {
			return err
		}
		p.Version, p.ChangedAt = p.Version+1, moment.Of(s.now())
		out = p
		return s.write(ctx, tx, p)
	})
	return out, err
}

// alone does something while nobody else writes accounts.
func (s *Store) alone(ctx context.Context, do func(*redis.Tx) error) error {
	return s.aloneWith(ctx, do, s.keys.Person(), s.keys.PersonLogin())
}

// aloneWith does something while nobody else writes the keys.
func (s *Store) aloneWith(ctx context.Context, do func(*redis.Tx) error, keys ...string) error {
	var err error
	for range tries {
		if err = s.rdb.Watch(ctx, do, keys...); !errors.Is(err, redis.TxFailedErr) {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(rand.N(10 * time.Millisecond)):
		}
	}
	return err
}

func (s *Store) write(ctx context.Context, tx *redis.Tx, p Person) error {
	return s.keep(ctx, tx, p, true)
}

// keep writes an account; marked: every server reads it anew.
func (s *Store) keep(ctx context.Context, tx *redis.Tx, p Person, marked bool) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.book.Write(ctx, tx, func(pipe redis.Pipeliner) error {
		book.Keep(ctx, pipe, "person", p.ID, text)
		pipe.HSet(ctx, s.keys.Person(), p.ID, text)
		pipe.HSet(ctx, s.keys.PersonLogin(), p.Login, p.ID)
		if marked {
			pipe.Set(ctx, s.keys.PersonChange(), ulid.Make().String(), 0)
		}
		return nil
	})
}
