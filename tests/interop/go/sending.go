package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// selector sends messages with a sharding key to the queue of its hash, others in turn.
type selector struct{ hash, turn producer.QueueSelector }

func (s selector) Select(m *primitive.Message, queues []*primitive.MessageQueue, last string) *primitive.MessageQueue {
	if m.GetShardingKey() != "" {
		return s.hash.Select(m, queues, last)
	}
	return s.turn.Select(m, queues, last)
}

func startProducer(c command) error {
	group := c.Group
	if group == "" {
		group = c.Name
	}
	options := []producer.Option{
		producer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		producer.WithGroupName(group),
		producer.WithInstanceName(c.Name),
		producer.WithSendMsgTimeout(10 * time.Second),
		producer.WithRetry(2),
		producer.WithQueueSelector(selector{producer.NewHashQueueSelector(), producer.NewRoundRobinQueueSelector()}),
	}
	if c.Trace {
		options = append(options, producer.WithTrace(traceConfig(group)))
	}
	if c.Transactions {
		return startDeciding(c, options)
	}
	p, err := rocketmq.NewProducer(options...)
	if err != nil {
		return err
	}
	if err = p.Start(); err != nil {
		return err
	}
	table.Lock()
	defer table.Unlock()
	producers[c.Name] = p
	return nil
}

func traceConfig(group string) *primitive.TraceConfig {
	return &primitive.TraceConfig{
		GroupName: group, Access: primitive.Local, NamesrvAddrs: primitive.NamesrvAddr{namesrv},
		Resolver: primitive.NewPassthroughResolver([]string{namesrv}),
	}
}

func startDeciding(c command, options []producer.Option) error {
	d, err := rocketmq.NewTransactionProducer(&decisions{c.Name, c.Check}, options...)
	if err != nil {
		return err
	}
	if err = d.Start(); err != nil {
		return err
	}
	table.Lock()
	defer table.Unlock()
	deciding[c.Name] = d
	return nil
}

// decisions decides as the message's properties say; a check as the producer was told, if it was.
type decisions struct{ producer, check string }

func (d *decisions) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	return state(m.GetProperty("local"))
}

func (d *decisions) CheckLocalTransaction(m *primitive.MessageExt) primitive.LocalTransactionState {
	answer := d.check
	if answer == "" {
		answer = m.GetProperty("check")
	}
	report("check", d.producer, m, "answer", answer)
	return state(answer)
}

func state(name string) primitive.LocalTransactionState {
	switch name {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

func key(c command, i int) string {
	return fmt.Sprintf("%s-%d", c.Prefix, i)
}

// body is the key itself, or c.Size bytes of it repeated, or of noise that does not compress.
func body(c command, key string) []byte {
	if c.Size == 0 {
		return []byte(key)
	}
	out := make([]byte, c.Size)
	if c.Fill == "noise" {
		rand.New(rand.NewSource(int64(c.Size))).Read(out)
		return out
	}
	for i := range out {
		out[i] = key[i%len(key)]
	}
	return out
}

func message(c command, i int) *primitive.Message {
	k := key(c, i)
	m := primitive.NewMessage(c.Topic, body(c, k)).WithKeys([]string{k})
	if c.Tags != "" {
		m.WithTag(inTurn(c.Tags, i))
	}
	if c.Delay > 0 {
		m.WithDelayTimeLevel(c.Delay)
	}
	if c.Mode == "ordered" {
		m.WithShardingKey(fmt.Sprintf("shard%d", i%c.Shards))
	}
	if c.Local != "" {
		m.WithProperty("local", inTurn(c.Local, i))
		m.WithProperty("check", inTurn(c.Check, i))
	}
	if c.Priority != "" {
		m.WithProperty("_SYS_MSG_PRIORITY_", inTurn(c.Priority, i))
	}
	for name, value := range map[string]*int64{
		"TIMER_DELAY_SEC": c.DelaySec, "TIMER_DELAY_MS": c.DelayMs, "TIMER_DELIVER_MS": c.DeliverMs,
	} {
		if value != nil {
			m.WithProperty(name, strconv.FormatInt(*value, 10))
		}
	}
	for _, property := range strings.Split(c.Properties, ";") {
		if name, values, found := strings.Cut(property, "="); found && inTurn(values, i) != "" {
			m.WithProperty(name, inTurn(values, i))
		}
	}
	return m
}

// inTurn is the i-th of the values between commas, again from the first after the last.
func inTurn(values string, i int) string {
	each := strings.Split(values, ",")
	return each[i%len(each)]
}

// request sends one message and answers the reply to it.
func request(c command) (object, error) {
	first := 0
	if f, ok := c.From.(float64); ok {
		first = int(f)
	}
	table.Lock()
	p := producers[c.Name]
	table.Unlock()
	if p == nil {
		return nil, fmt.Errorf("no producer %s", c.Name)
	}
	m, timeout := message(c, first), time.Duration(c.TimeoutMs)*time.Millisecond
	if c.Mode != "async" {
		reply, err := p.Request(context.Background(), timeout, m)
		if err == nil && reply == nil {
			err = errors.New("the client came back with neither reply nor error")
		}
		if err != nil {
			return nil, err
		}
		return plain(reply), nil
	}
	type outcome struct {
		reply *primitive.Message
		err   error
	}
	// The client calls back a second time when it forgets the request.
	done := make(chan outcome, 2)
	callback := func(_ context.Context, reply *primitive.Message, err error) { done <- outcome{reply, err} }
	if err := p.RequestAsync(context.Background(), timeout, callback, m); err != nil {
		return nil, err
	}
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return plain(o.reply), nil
	case <-time.After(timeout + 10*time.Second):
		return nil, errors.New("the callback was not called")
	}
}

func send(c command) ([]object, error) {
	table.Lock()
	p, d := producers[c.Name], deciding[c.Name]
	table.Unlock()
	if p == nil && d == nil {
		return nil, fmt.Errorf("no producer %s", c.Name)
	}
	results := []object{}
	first := 0
	if f, ok := c.From.(float64); ok {
		first = int(f)
	}
	count := c.Count
	if count == 0 {
		count = 1
	}
	ctx := context.Background()
	switch c.Mode {
	case "batch":
		messages := []*primitive.Message{}
		for i := first; i < first+count; i++ {
			messages = append(messages, message(c, i))
		}
		result, err := p.SendSync(ctx, messages...)
		if err != nil {
			return results, err
		}
		return append(results, describeResult(result, "", nil)), nil
	case "async":
		return sendAsync(ctx, c, p, first, count)
	}
	for i := first; i < first+count; i++ {
		m := message(c, i)
		if c.Mode == "oneway" {
			if err := p.SendOneWay(ctx, m); err != nil {
				return results, err
			}
			continue
		}
		var result *primitive.SendResult
		var err error
		if c.Mode == "transaction" {
			var decided *primitive.TransactionSendResult
			if decided, err = d.SendMessageInTransaction(ctx, m); err == nil {
				result = decided.SendResult
			}
		} else {
			result, err = p.SendSync(ctx, m)
		}
		if err != nil {
			return results, err
		}
		results = append(results, describeResult(result, key(c, i), m.Body))
	}
	return results, nil
}

func sendAsync(ctx context.Context, c command, p rocketmq.Producer, first, count int) ([]object, error) {
	results := []object{}
	var failed error
	var mutex sync.Mutex
	var answered sync.WaitGroup
	answered.Add(count)
	for i := first; i < first+count; i++ {
		m, k := message(c, i), key(c, i)
		err := p.SendAsync(ctx, func(_ context.Context, result *primitive.SendResult, err error) {
			mutex.Lock()
			defer mutex.Unlock()
			defer answered.Done()
			if err != nil {
				failed = err
				return
			}
			results = append(results, describeResult(result, k, m.Body))
		}, m)
		if err != nil {
			return results, err
		}
	}
	answered.Wait()
	return results, failed
}
