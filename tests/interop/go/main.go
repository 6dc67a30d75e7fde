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
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
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
	Transactions      bool   `json:"transactions"`
	Trace             bool   `json:"trace"`
	Local             string `json:"local"`
	Check             string `json:"check"`
	Properties        string `json:"properties"`
	Priority          string `json:"priority"`
	DelaySec          *int64 `json:"delaySec"`
	DelayMs           *int64 `json:"delayMs"`
	DeliverMs         *int64 `json:"deliverMs"`
	SQL               string `json:"sql"`
	Replier           string `json:"replier"`
	ReplyAfterMs      int    `json:"replyAfterMs"`
	NextLevel         *int   `json:"nextLevel"`
	OnlyKey           string `json:"onlyKey"`
	Throwing          bool   `json:"throwing"`
}

type object = map[string]any

var (
	namesrv   string
	answers   *os.File
	output    sync.Mutex
	table     sync.Mutex
	producers = map[string]rocketmq.Producer{}
	deciding  = map[string]rocketmq.TransactionProducer{}
	pushes    = map[string]rocketmq.PushConsumer{}
	pulls     = map[string]rocketmq.PullConsumer{}
)

func main() {
	namesrv = os.Args[1]
	// Whatever the library prints must not get between the answers.
	answers, os.Stdout = os.Stdout, os.Stderr
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
	answers.Write(append(line, '\n'))
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
		results, err := send(c)
		return object{"results": results}, err
	case "request":
		reply, err := request(c)
		return object{"message": reply}, err
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
	p, push, pull, d := producers[name], pushes[name], pulls[name], deciding[name]
	delete(producers, name)
	delete(deciding, name)
	delete(pushes, name)
	delete(pulls, name)
	table.Unlock()
	if p != nil {
		return p.Shutdown()
	}
	if d != nil {
		return d.Shutdown()
	}
	if push != nil {
		return push.Shutdown()
	}
	if pull != nil {
		return pull.Shutdown()
	}
	return nil
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

// plain describes what every message has, as a reply that was not stored.
func plain(m *primitive.Message) object {
	text := ""
	if len(m.Body) <= 4096 {
		text = string(m.Body)
	}
	return object{
		"topic": m.Topic, "key": m.GetKeys(), "tags": m.GetTags(), "hash": hash(m.Body), "length": len(m.Body),
		"text": text, "properties": m.GetProperties(),
	}
}

func describe(m *primitive.MessageExt) object {
	out := plain(&m.Message)
	out["queueOffset"], out["msgId"], out["offsetMsgId"] = m.QueueOffset, m.MsgId, m.OffsetMsgId
	out["storeSize"], out["reconsumeTimes"] = m.StoreSize, m.ReconsumeTimes
	out["bornTimestamp"], out["storeTimestamp"], out["commitLogOffset"] = m.BornTimestamp, m.StoreTimestamp, m.CommitLogOffset
	// A message that comes to be checked has no queue.
	if m.Queue != nil {
		out["queueId"] = m.Queue.QueueId
	}
	return out
}

// report tells of a message that a consumer or producer of that name was handed.
func report(event, name string, m *primitive.MessageExt, extra string, value any) {
	out := describe(m)
	out["event"], out["consumer"], out[extra], out["receivedAt"] = event, name, value, time.Now().UnixMilli()
	emit(out)
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
