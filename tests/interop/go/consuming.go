package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

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
	if c.Trace {
		options = append(options, consumer.WithTrace(traceConfig(group)))
	}
	return options
}

func messageSelector(c command) consumer.MessageSelector {
	if c.SQL != "" {
		return consumer.MessageSelector{Type: consumer.SQL92, Expression: c.SQL}
	}
	if c.Tags == "" {
		return consumer.MessageSelector{}
	}
	return consumer.MessageSelector{Type: consumer.TAG, Expression: c.Tags}
}

// startPush reports every message, refuses each the first FailTimes times (always when negative), and replies when told
// to.
func startPush(c command) error {
	push, err := rocketmq.NewPushConsumer(consumerOptions(c)...)
	if err != nil {
		return err
	}
	var mutex sync.Mutex
	seen := map[string]int{}
	listener := func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		good := true
		for _, m := range messages {
			mutex.Lock()
			before := seen[m.GetKeys()]
			seen[m.GetKeys()]++
			mutex.Unlock()
			meant := c.OnlyKey == "" || c.OnlyKey == m.GetKeys()
			fails := meant && (c.FailTimes < 0 || before < c.FailTimes)
			report("message", c.Name, m, "failed", fails)
			if c.Replier != "" {
				report("reply", c.Name, m, "outcome", reply(c, m))
			}
			good = good && !fails
		}
		if c.NextLevel != nil {
			if concurrently, ok := primitive.GetConcurrentlyCtx(ctx); ok {
				concurrently.DelayLevelWhenNextConsume = *c.NextLevel
			}
		}
		if good {
			return consumer.ConsumeSuccess, nil
		}
		if c.Throwing {
			return consumer.ConsumeRetryLater, errors.New("refused as told")
		}
		if c.Orderly {
			return consumer.SuspendCurrentQueueAMoment, nil
		}
		return consumer.ConsumeRetryLater, nil
	}
	if err = push.Subscribe(c.Topic, messageSelector(c), listener); err != nil {
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

func reply(c command, m *primitive.MessageExt) string {
	time.Sleep(time.Duration(c.ReplyAfterMs) * time.Millisecond)
	body := []byte("re: " + string(m.Body))
	answer, err := consumer.CreateReplyMessage(m, body)
	if err != nil {
		return err.Error()
	}
	// The library takes the body for properties and leaves the reply without one.
	answer.Body = body
	table.Lock()
	p := producers[c.Replier]
	table.Unlock()
	result, err := p.SendSync(context.Background(), answer)
	if err != nil {
		return fmt.Sprintf("%d %s", errorCode(err), err)
	}
	return statusNames[result.Status]
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
	if err = pull.Subscribe(c.Topic, messageSelector(c)); err != nil {
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
