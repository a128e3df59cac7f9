/** How to connect, ready to paste: for each client the few lines that send or read one record. */
export interface Snippet {
  id: string
  label: string
  code: (address: string, topic: string) => string
}

export const snippets: readonly Snippet[] = [
  {
    id: 'kcat',
    label: 'kcat',
    code: (address, topic) => `# read, newest last
kcat -b ${address} -t ${topic} -C -o beginning

# write
echo 'key1:hello' | kcat -b ${address} -t ${topic} -P -K:`,
  },
  {
    id: 'java',
    label: 'Java',
    code: (address, topic) => `var props = new Properties();
props.put("bootstrap.servers", "${address}");
props.put("key.serializer", StringSerializer.class.getName());
props.put("value.serializer", StringSerializer.class.getName());

try (var producer = new KafkaProducer<String, String>(props)) {
  producer.send(new ProducerRecord<>("${topic}", "key1", "hello")).get();
}`,
  },
  {
    id: 'python',
    label: 'Python',
    code: (address, topic) => `from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": "${address}"})
producer.produce("${topic}", key="key1", value="hello")
producer.flush()`,
  },
  {
    id: 'node',
    label: 'Node',
    code: (address, topic) => `import { Kafka } from 'kafkajs'

const kafka = new Kafka({ brokers: ${brokerList(address)} })
const producer = kafka.producer()
await producer.connect()
await producer.send({ topic: '${topic}', messages: [{ key: 'key1', value: 'hello' }] })`,
  },
  {
    id: 'go',
    label: 'Go',
    code: (address, topic) => `client, err := kgo.NewClient(kgo.SeedBrokers(${address
      .split(',')
      .map((server) => `"${server}"`)
      .join(', ')}))
if err != nil { log.Fatal(err) }
defer client.Close()

record := &kgo.Record{Topic: "${topic}", Key: []byte("key1"), Value: []byte("hello")}
err = client.ProduceSync(context.Background(), record).FirstErr()`,
  },
  {
    id: 'spring',
    label: 'Spring',
    code: (address) => `# application.yaml
spring:
  kafka:
    bootstrap-servers: ${address}
    consumer:
      group-id: my-service
      auto-offset-reset: earliest`,
  },
  {
    id: 'compose',
    label: 'Compose',
    code: (address) => `# compose.yaml; start Weir with: weir up --advertise host.docker.internal
services:
  my-service:
    environment:
      KAFKA_BOOTSTRAP_SERVERS: ${address.replaceAll(/127\.0\.0\.1|localhost/g, 'host.docker.internal')}
    extra_hosts:
      - host.docker.internal:host-gateway`,
  },
]

function brokerList(address: string): string {
  return `[${address
    .split(',')
    .map((server) => `'${server}'`)
    .join(', ')}]`
}
