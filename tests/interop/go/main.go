// Takes commands as flat JSON lines on stdin, answers and reports events as JSON lines on stdout. See protocol.md.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// command is one line of input; absent fields are zero.
type command struct {
	ID                int    `json:"id"`
	Do                string `json:"do"`
	Name              string `json:"name"`
	Group             string `json:"group"`
	Topic             string `json:"topic"`
	Prefix            string `json:"prefix"`
	Tags              string `json:"tags"`
	Mode              string `json:"mode"`
	Fill              string `json:"fill"`
	Model             string `json:"model"`
	From              any    `json:"from"`
	Timestamp         string `json:"timestamp"`
	BrokerName        string `json:"brokerName"`
	Count             int    `json:"count"`
	Size              int    `json:"size"`
	Shards            int    `json:"shards"`
	Delay             int    `json:"delay"`
	FailTimes         int    `json:"failTimes"`
	MaxReconsumeTimes *int   `json:"maxReconsumeTimes"`
	QueueID           int    `json:"queueId"`
	Offset            int64  `json:"offset"`
	Max               int    `json:"max"`
	TimeoutMs         int    `json:"timeoutMs"`
	Orderly           bool   `json:"orderly"`
}

type object = map[string]any

var (
	namesrv   string
	output    sync.Mutex
	table     sync.Mutex
	producers = map[string]rocketmq.Producer{}
	pushes    = map[string]rocketmq.PushConsumer{}
	pulls     = map[string]rocketmq.PullConsumer{}
)

func main() {
	namesrv = os.Args[1]
	rlog.SetLogLevel("warn")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			emit(object{"id": 0, "ok": false, "code": -1, "error": err.Error()})
			continue
		}
		go answer(c)
	}
}

func emit(value object) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func answer(c command) {
	out, err := run(c)
	if out == nil {
		out = object{}
	}
	out["id"], out["ok"] = c.ID, err == nil
	if err != nil {
		out["code"], out["error"] = errorCode(err), err.Error()
	}
	emit(out)
}

func errorCode(err error) int {
	var refused primitive.MQBrokerErr
	if errors.As(err, &refused) {
		return int(refused.ResponseCode)
	}
	// A refused send carries its code in the text only.
	code := -1
	if at := strings.Index(err.Error(), "CODE: "); at >= 0 {
		fmt.Sscanf(err.Error()[at:], "CODE: %d", &code)
	}
	return code
}

func run(c command) (object, error) {
	switch c.Do {
	case "producer":
		return nil, startProducer(c)
	case "send":
		table.Lock()
		p := producers[c.Name]
		table.Unlock()
		results, err := send(c, p)
		return object{"results": results}, err
	case "push":
		return nil, startPush(c)
	case "pull", "lite":
		return nil, startPull(c)
	case "pull.once":
		return pullOnce(c)
	case "lite.poll":
		return poll(c)
	case "lite.commit":
		return nil, pullConsumer(c.Name).PersistOffset(context.Background(), c.Topic)
	case "stop":
		return nil, stop(c.Name)
	}
	return nil, fmt.Errorf("no such command: %s", c.Do)
}

func stop(name string) error {
	table.Lock()
	p, push, pull := producers[name], pushes[name], pulls[name]
	delete(producers, name)
	delete(pushes, name)
	delete(pulls, name)
	table.Unlock()
	if p != nil {
		return p.Shutdown()
	}
	if push != nil {
		return push.Shutdown()
	}
	if pull != nil {
		return pull.Shutdown()
	}
	return nil
}

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
	p, err := rocketmq.NewProducer(
		producer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		producer.WithGroupName(group),
		producer.WithInstanceName(c.Name),
		producer.WithSendMsgTimeout(10*time.Second),
		producer.WithRetry(2),
		producer.WithQueueSelector(selector{producer.NewHashQueueSelector(), producer.NewRoundRobinQueueSelector()}),
	)
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
		tags := strings.Split(c.Tags, ",")
		m.WithTag(tags[i%len(tags)])
	}
	if c.Delay > 0 {
		m.WithDelayTimeLevel(c.Delay)
	}
	if c.Mode == "ordered" {
		m.WithShardingKey(fmt.Sprintf("shard%d", i%c.Shards))
	}
	return m
}

func send(c command, p rocketmq.Producer) ([]object, error) {
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
		result, err := p.SendSync(ctx, m)
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

var statusNames = map[primitive.SendStatus]string{
	primitive.SendOK:                "SEND_OK",
	primitive.SendFlushDiskTimeout:  "FLUSH_DISK_TIMEOUT",
	primitive.SendFlushSlaveTimeout: "FLUSH_SLAVE_TIMEOUT",
	primitive.SendSlaveNotAvailable: "SLAVE_NOT_AVAILABLE",
	primitive.SendUnknownError:      "UNKNOWN",
}

func describeResult(result *primitive.SendResult, key string, body []byte) object {
	return object{
		"key": key, "status": statusNames[result.Status], "topic": result.MessageQueue.Topic,
		"queueId": result.MessageQueue.QueueId, "queueOffset": result.QueueOffset, "msgId": result.MsgID,
		"offsetMsgId": result.OffsetMsgID, "hash": hash(body),
	}
}

func describe(m *primitive.MessageExt) object {
	return object{
		"topic": m.Topic, "queueId": m.Queue.QueueId, "queueOffset": m.QueueOffset, "msgId": m.MsgId,
		"offsetMsgId": m.OffsetMsgId, "key": m.GetKeys(), "tags": m.GetTags(), "hash": hash(m.Body),
		"length": len(m.Body), "storeSize": m.StoreSize, "reconsumeTimes": m.ReconsumeTimes,
		"bornTimestamp": m.BornTimestamp, "storeTimestamp": m.StoreTimestamp, "commitLogOffset": m.CommitLogOffset,
	}
}

func describeAll(messages []*primitive.MessageExt) []object {
	out := []object{}
	for _, m := range messages {
		out = append(out, describe(m))
	}
	return out
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func consumerOptions(c command) []consumer.Option {
	group := c.Group
	if group == "" {
		group = c.Name
	}
	options := []consumer.Option{
		consumer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		consumer.WithGroupName(group),
		consumer.WithInstance(c.Name),
		consumer.WithConsumerOrder(c.Orderly),
		consumer.WithSuspendCurrentQueueTimeMillis(200 * time.Millisecond),
	}
	if c.Model == "BROADCASTING" {
		options = append(options, consumer.WithConsumerModel(consumer.BroadCasting))
	} else {
		options = append(options, consumer.WithConsumerModel(consumer.Clustering))
	}
	switch c.From {
	case "last":
		options = append(options, consumer.WithConsumeFromWhere(consumer.ConsumeFromLastOffset))
	case "timestamp":
		options = append(options, consumer.WithConsumeFromWhere(consumer.ConsumeFromTimestamp))
		options = append(options, consumer.WithConsumeTimestamp(c.Timestamp))
	default:
		options = append(options, consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	}
	if c.MaxReconsumeTimes != nil {
		options = append(options, consumer.WithMaxReconsumeTimes(int32(*c.MaxReconsumeTimes)))
	}
	return options
}

func tagSelector(c command) consumer.MessageSelector {
	if c.Tags == "" {
		return consumer.MessageSelector{}
	}
	return consumer.MessageSelector{Type: consumer.TAG, Expression: c.Tags}
}

// startPush reports every message, and refuses each the first FailTimes times (always when negative).
func startPush(c command) error {
	push, err := rocketmq.NewPushConsumer(consumerOptions(c)...)
	if err != nil {
		return err
	}
	var mutex sync.Mutex
	seen := map[string]int{}
	listener := func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		good := true
		for _, m := range messages {
			mutex.Lock()
			before := seen[m.GetKeys()]
			seen[m.GetKeys()]++
			mutex.Unlock()
			fails := c.FailTimes < 0 || before < c.FailTimes
			event := describe(m)
			event["event"], event["consumer"], event["failed"] = "message", c.Name, fails
			emit(event)
			good = good && !fails
		}
		if good {
			return consumer.ConsumeSuccess, nil
		}
		if c.Orderly {
			return consumer.SuspendCurrentQueueAMoment, nil
		}
		return consumer.ConsumeRetryLater, nil
	}
	if err = push.Subscribe(c.Topic, tagSelector(c), listener); err != nil {
		return err
	}
	if err = push.Start(); err != nil {
		return err
	}
	table.Lock()
	defer table.Unlock()
	pushes[c.Name] = push
	return nil
}

func pullConsumer(name string) rocketmq.PullConsumer {
	table.Lock()
	defer table.Unlock()
	return pulls[name]
}

func startPull(c command) error {
	pull, err := rocketmq.NewPullConsumer(consumerOptions(c)...)
	if err != nil {
		return err
	}
	if err = pull.Subscribe(c.Topic, tagSelector(c)); err != nil {
		return err
	}
	if err = pull.Start(); err != nil {
		return err
	}
	table.Lock()
	defer table.Unlock()
	pulls[c.Name] = pull
	return nil
}

var pullStatusNames = map[primitive.PullStatus]string{
	primitive.PullFound:         "FOUND",
	primitive.PullNoNewMsg:      "NO_NEW_MSG",
	primitive.PullNoMsgMatched:  "NO_MATCHED_MSG",
	primitive.PullOffsetIllegal: "OFFSET_ILLEGAL",
}

func pullOnce(c command) (object, error) {
	broker, most := c.BrokerName, c.Max
	if broker == "" {
		broker = "broker-a"
	}
	if most == 0 {
		most = 32
	}
	queue := &primitive.MessageQueue{Topic: c.Topic, BrokerName: broker, QueueId: c.QueueID}
	result, err := pullConsumer(c.Name).PullFrom(context.Background(), queue, c.Offset, most)
	if err != nil {
		return nil, err
	}
	return object{
		"status": pullStatusNames[result.Status], "nextBeginOffset": result.NextBeginOffset,
		"minOffset": result.MinOffset, "maxOffset": result.MaxOffset, "messages": describeAll(result.GetMessageExts()),
	}, nil
}

func poll(c command) (object, error) {
	pull := pullConsumer(c.Name)
	request, err := pull.Poll(context.Background(), time.Duration(c.TimeoutMs)*time.Millisecond)
	if errors.Is(err, consumer.ErrNoNewMsg) {
		return object{"messages": []object{}}, nil
	}
	if err != nil {
		return nil, err
	}
	messages := describeAll(request.GetMsgList())
	pull.ACK(context.Background(), request, consumer.ConsumeSuccess)
	return object{"messages": messages}, nil
}
