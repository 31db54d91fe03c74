"""Labelled sentences as people write them in a chat, written for this project.

Text between ⟦ and ⟧ has to be replaced by a mark; everything else has to stay. Numbers are invented, or examples
published by banks and networks.
"""

EMAILS = """
please send the invoice to ⟦anna.keller@example.com⟧
my mail is ⟦jo@example.de⟧, write me there
I signed up with ⟦maria_lopez+news@mail.example.es⟧ last week
Contact: ⟦info@müller-söhne.example⟧
login fails for ⟦JOHN.DOE@EXAMPLE.ORG⟧!!
from ⟦a@b.io⟧ to ⟦c.d@sub.domain.example.co.uk⟧
(⟦support-team@my-shop.example⟧)
mailto:⟦sales@example.ch⟧?subject=hello
"⟦o'neil@example.ie⟧" does not get mails
user=⟦k.tanaka@example.jp⟧;plan=free
邮箱是⟦li.wei@example.cn⟧
Mi correo es ⟦pedro.garcia99@example.mx⟧.
schreib an ⟦hans.maier@t-mail.example.de⟧ bitte
<⟦bounce-1234@lists.example.net⟧>
cc ⟦first.last%office@example.com⟧ please
reply to ⟦x_y-z@example.museum⟧
the account ⟦12345@example.com⟧ is locked
two of them: ⟦tim@example.com⟧,⟦tom@example.com⟧
écrivez à ⟦claire.dubois@exemple.fr⟧ svp
change ⟦old.name@example.nl⟧ to ⟦new.name@example.nl⟧
my google mail is ⟦sam.smith.2001@gmail.com⟧ thx
email:⟦noreply@xn--bcher-kva.example⟧
"""

PHONES = """
call me on ⟦+41 79 123 45 67⟧ after six
my number is ⟦+1 (415) 555-2671⟧
⟦+44 20 7946 0958⟧ is the office
reach us at ⟦+49 (0)30 901820⟧
WhatsApp ⟦+5511912345678⟧
⟦+33 6 12 34 56 78⟧ svp
numéro : ⟦06 12 34 56 78⟧
ring ⟦079 123 45 67⟧ or write
Tel. ⟦044 668 18 00⟧
mobile ⟦07911 123456⟧ uk
it is ⟦020 7946 0958⟧, London
please call ⟦(415) 555-2671⟧
or ⟦415-555-2671⟧ in the evening
fax ⟦415.555.2671⟧
⟦1-800-555-0199⟧ does not pick up
telefon: ⟦030/9018200⟧
meine handynummer ⟦0171 2345678⟧
erreichbar unter ⟦0664 1234567⟧
mi teléfono es ⟦612 34 56 78⟧
móvil ⟦612345678⟧
llámame al ⟦+34 612 345 678⟧
cellulare ⟦+39 347 123 4567⟧
telefono ⟦347 1234567⟧
meu celular ⟦(11) 91234-5678⟧
whatsapp ⟦11 91234-5678⟧
phone: ⟦98765 43210⟧
my indian number ⟦+91 98765 43210⟧
mobile no. ⟦9876543210⟧
手机 ⟦138 1234 5678⟧
电话:⟦010-62345678⟧
⟦+86 138 1234 5678⟧
電話は⟦03-1234-5678⟧です
携帯 ⟦090-1234-5678⟧
전화 ⟦010-1234-5678⟧
⟦+82 10 1234 5678⟧
телефон ⟦8 (912) 345-67-89⟧
звоните ⟦+7 912 345-67-89⟧
tel ⟦0031 20 123 4567⟧
⟦+31 6 12345678⟧ is mine
gsm ⟦0475 12 34 56⟧
⟦+32 475 12 34 56⟧
ring me on ⟦0412 345 678⟧ mate
⟦+61 412 345 678⟧
phone ⟦1300 123 456⟧
⟦+64 21 123 4567⟧ from NZ
call ⟦+27 82 123 4567⟧
text me at ⟦082 123 4567⟧
⟦+234 803 123 4567⟧
⟦+254 712 345678⟧ nairobi
⟦+971 50 123 4567⟧ dubai
mobile: ⟦050 123 4567⟧
⟦+972-50-123-4567⟧
⟦+90 532 123 45 67⟧
cep tel: ⟦0532 123 45 67⟧
tlf ⟦+47 912 34 567⟧
⟦+46 70 123 45 67⟧ eller ⟦070-123 45 67⟧
⟦+45 20 12 34 56⟧
phone: ⟦20 12 34 56⟧
⟦+358 40 1234567⟧
⟦+48 501 234 567⟧
call me at ⟦501 234 567⟧
⟦+420 601 123 456⟧
⟦+351 912 345 678⟧
⟦+30 691 234 5678⟧
⟦+65 9123 4567⟧
my mobile is ⟦9123 4567⟧
⟦+852 9123 4567⟧
⟦+52 55 1234 5678⟧
my phone number: ⟦555-0143⟧
call me ⟦7021645199⟧ or ⟦7021645198⟧
⟦(11) 91234-5678⟧ em São Paulo
write to ⟦21 91234-5678⟧
it is ⟦8 (912) 345-67-89⟧ in Omsk
⟦98765 43210⟧ after lunch
try ⟦138 1234 5678⟧ please
mejor el ⟦612 34 56 78⟧
or toll-free ⟦1300 123 456⟧
you can reach me on ⟦07700900123⟧
call her at ⟦0791234567⟧ tomorrow
I live in Bern and my number 079 is ⟦0791234567⟧
"""

CARDS = """
my card ⟦4111 1111 1111 1111⟧ was declined
⟦4242424242424242⟧ exp 12/27
charge ⟦5555-5555-5555-4444⟧ please
amex ⟦3782 822463 10005⟧
amex ⟦371449635398431⟧ cvv 1234
card no: ⟦6011111111111117⟧
diners ⟦30569309025904⟧
jcb ⟦3530111333300000⟧
mastercard ⟦2223 0031 2200 3222⟧
⟦5105105105105100⟧ is the old one
Karte ⟦4000056655665556⟧ geht nicht
tarjeta ⟦5200 8282 8282 8210⟧
carte ⟦6011-0009-9013-9424⟧
visa ⟦4012 8888 8888 1881⟧ 123
(⟦4917610000000000⟧)
I paid with ⟦5425 2334 3010 9903⟧, not paypal
number=⟦2222420000001113⟧&name=x
unionpay ⟦6200000000000005⟧
⟦3566 0020 2036 0505⟧ please remove it
the last four of ⟦4000 0000 0000 9995⟧
diners card ⟦36227206271667⟧ expired
"""

IBANS = """
transfer to ⟦CH93 0076 2011 6238 5295 7⟧ please
⟦DE89 3704 0044 0532 0130 00⟧ is my account
IBAN: ⟦DE89370400440532013000⟧
⟦GB29NWBK60161331926819⟧
iban gb: ⟦gb29 nwbk 6016 1331 9268 19⟧ ok
compte ⟦FR14 2004 1010 0505 0001 3M02 606⟧
⟦NL91ABNA0417164300⟧ op naam van
cuenta ⟦ES91 2100 0418 4502 0005 1332⟧
conto ⟦IT60 X054 2811 1010 0000 0123 456⟧
⟦BE68 5390 0754 7034⟧ this week
Konto ⟦AT61 1904 3002 3457 3201⟧, danke
⟦SE45 5000 0000 0583 9825 7466⟧
⟦NO93 8601 1117 947⟧ takk
(⟦DK5000400440116243⟧)
⟦FI21 1234 5600 0007 85⟧
konto ⟦PL61 1090 1014 0000 0712 1981 2874⟧
⟦PT50 0002 0123 1234 5678 9015 4⟧
my irish one is ⟦IE29 AIBK 9311 5212 3456 78⟧ now
⟦LU28 0019 4006 4475 0000⟧
⟦CZ6508000000192000145399⟧
⟦TR33 0006 1005 1978 6457 8413 26⟧
⟦SA03 8000 0000 6080 1016 7519⟧
⟦AE07 0331 2345 6789 0123 456⟧
⟦BR18 0036 0305 0000 1000 9795 493C 1⟧
from ⟦GR1601101250000000012300695⟧ to ⟦HU42-1177-3016-1111-1018-0000-0000⟧
"""

IPS = """
my ip is ⟦203.0.113.7⟧
server ⟦192.168.1.10⟧:8080 is down
ping ⟦8.8.8.8⟧ works
blocked: ⟦198.51.100.23⟧, ⟦198.51.100.24⟧
http://⟦10.0.0.5⟧/admin does not load
ssh root@⟦172.16.254.1⟧
range ⟦10.0.0.0⟧/8
[⟦127.0.0.1⟧] refused
from ⟦2001:db8::ff00:42:8329⟧ came a request
⟦fe80::1ff:fe23:4567:890a⟧ link local
addr=⟦2001:0db8:85a3:0000:0000:8a2e:0370:7334⟧
⟦::1⟧ is localhost
http://[⟦2001:db8::1⟧]:443/
client ⟦::ffff:192.0.2.128⟧ failed
login from ⟦91.198.174.192⟧ at 10:30
die IP ⟦85.214.132.117⟧ wurde gesperrt
ip=⟦100.64.0.1⟧;
is ⟦1.1.1.1⟧ safe?
IP:⟦45.83.220.15⟧.
my address changed from ⟦77.109.140.1⟧ to ⟦77.109.140.22⟧
"""

KEYS = """
my key is ⟦sk-proj-abcDEF123456ghiJKL789⟧ and it fails
⟦sk-ant-api03-Zx81kqPwLm29TTvbQhYr⟧
stripe ⟦sk_live_51Hxq2eZvKYlo2C0aBcDeFgH⟧
⟦pk_test_TYooMQauvdEDq54NiTphI7jx⟧ is public
⟦ghp_16C7e42F292c6912E7710c838347Ae178B4a⟧
⟦github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwx⟧
token ⟦glpat-Ab12Cd34Ef56Gh78Ij90⟧ expired
slack ⟦xoxb-123456789012-abcdefGHIJKL⟧
aws ⟦AKIAIOSFODNN7EXAMPLE⟧
maps ⟦AIzaSyA1234567890abcdefghijklmnopqrstuv⟧
⟦hf_abcdefghijKLMNOPQRSTuvwxyz123456⟧
⟦npm_abcdefghij0123456789ABCDEFGHIJ012345⟧
⟦pypi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4⟧ upload
shop ⟦shpat_0123456789abcdef0123456789abcdef⟧
⟦SG.abcdefghijklmnopqrstuv.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg⟧
⟦ya29.a0AfH6SMBx1234567890abcdef⟧ google
jwt ⟦eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123⟧
Authorization: Bearer ⟦abc.def-123456789⟧
curl -H "authorization: Basic ⟦dXNlcjpwYXNzd29yZA==⟧"
postgres://⟦admin:s3cr3t⟧@db.example/prod
https://⟦jo:hunter2⟧@git.example/x.git
https://api.example/v1?api_key=⟦a1b2c3d4e5⟧&page=2
https://x.example/cb?access_token=⟦zyx987wvu654⟧
https://b.example/f?X-Amz-Signature=⟦0a1b2c3d4e5f⟧
password: ⟦hunter2!⟧
my pwd = ⟦Tr0ub4dor&3⟧
DB_PASSWORD=⟦pa55w0rd⟧
client_secret: ⟦abcd1234efgh⟧
OPENAI_API_KEY=⟦abcd-1234-efgh-5678⟧
aws_secret_access_key = ⟦wJalrXUtnFEMI/K7MDENG⟧
AccountName=x;AccountKey=⟦aB3/x+9Q==⟧;End=y
passphrase: ⟦correct-h0rse⟧ ok?
⟦gsk_Ab12Cd34Ef56Gh78Ij90Kl12⟧ for groq
⟦-----BEGIN PRIVATE KEY-----MIIEvQ==-----END PRIVATE KEY-----⟧
langfuse ⟦sk-lf-1234abcd-12ab-34cd-56ef-1234567890ab⟧
bearer ⟦9f86d081884c7d659a2feaa0⟧
"""

NEGATIVES = """
the meeting is on 2024-03-12 at 10:30:00
from 12.03.2024 to 15.03.2024, not 3/12/2024
due 2026-01-01T00:00:03.801826+00:00
2024-01-05 10:30 was the last login
between 01.02.2024 09:30 and 02.02.2024 18:45
born 05/06/84 in Basel
sales of 2022, 2023 and 2024
2019 - 2020 - 2021 compared
20240105 is the date code
it costs 12.99, 1,299.00 or 1.234.567,89 EUR
1 000 000 users and 250000 events
CHF 1'250'000.50 in total
population 8 775 760
we have 12345678 rows
total 1234567890 bytes
0.123456789 is the loss
3.14159265358979
47.3769, 8.5417 is Zurich
lat 47.37690000 lon 8.54170000
at 46°57'N 7°26'E
+47.37690000 north
offset +05:30 or +0200
Python 3.11.4 and numpy 2.4.6
version 10.0.19045.3570 of Windows
v1.2.3.4 is out
version 1.2.3.4 fails
app version: 4.5.6.7
Chrome/120.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.6778.86
assembly 2.0.0.0
section 1.2.3.4 of the contract
package-1.2.3.4.tar.gz
1.2.3 is fine, 1.2.3.4.5 too
999.999.999.999
order 12345 and order 123456789
order number 0791234567
my order id is 415-555-2671
ticket 98765-43210
invoice 0123 456 789
order_id: 12345678901
ref 0044 1234 5678
tracking 1Z999AA10123456784
tracking number 9400111899223100001234
ISBN 978-3-16-148410-0
isbn 0-306-40615-2
ISBN 9783161484100
EAN 4006381333931
SKU 8412345678905
VIN 1HGCM82633A004352
patent 6123 456 789
case 0123-456-789
customer 000123456789
id 550e8400-e29b-41d4-a716-446655440000
12345678-1234-1234-1234-123456789012
01234567-0123-0123-0123-012345678901
d41d8cd98f00b204e9800998ecf8427e
sha 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
commit 9262d9d1234567
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
event e123456
evt_1A2b3C4d5E6f7G8h9I0j
01ARZ3NDEKTSV4RRFFQ69G5FAV
507f1f77bcf86cd799439011
1767225600000 ms since the epoch
1767225600
1767225600123456
1234567890123456
4111 1111 1111 1112 is no card
1111 2222 3333 4444
9999999999999999
1445678901234567890 is a tweet
DE89 3704 0044 0532 0130 01
CH12 is a canton code
GB29 is the room
AB12 3456 7890 1234 5678
room 12-34, floor 5
12:30:45, ratio 16:9
00:1a:2b:3c:4d:5e is a mac
std::vector and A::B
f(x) = 2x + 3, x = 12345678
2 + 2 = 4, 100 / 3 = 33.3333333333
(1 + 2) * 3 - 4567890
1 2 3 4 5 6 7 8 9 10
10 20 30 40 50
scores: 98 87 76 65 54
5 + 12345678 - 87654321
for i in range(1000000): pass
x[0:10], y[10:20]
#ff00ff and #123456
colors rgb(255,255,255)
100x200x300 mm
1920x1080 at 60
10-15 people, 2-3 days
5-10-15-20
call 3 times a day
I called twice in 2024
phone costs 1299.00
my phone is an iPhone 15 Pro 256
iPhone 12345678
call the function 3 times with 100
mobile traffic was 45 percent of 1200
text 140 characters
the cell B12 to C4500
fax from 2024-01-05 10:30
phone bought 12.03.2024
the number is 42
my number 1 wish
@mention of #hashtag, 50% off
icon@2x.png and logo@3x.png
npm install lodash@4.17.21
user@localhost
cell phone [0.56 0.23 0.87 0.49] in the picture
secs: 1587451234
event 456712345678901234
from 06252018 50 rows
git@code.example:owner/name.git
ssh://git@localhost:3035/owner/name.git
secret: ********
phones: 0101010 1010101
look @home or @ the office
a @ b . c
decorator @app.route("/")
meet me @ 5.30
email is down, mail me
I forgot my password: how do I reset it?
the password is wrong
password reset does not work
the token is invalid, the API key is missing
my secret: nothing at all
token: string
total_tokens = 123456
tokens: 2048 and max_token: 4096000
token = request.headers["x"]
api_key = os.environ["API_KEY"]
password = getpass("Password: ")
password=${DB_PASSWORD}
secret: {{ secrets.value_1 }}
primary_key: order_id_1
keyboard: qwerty-1, monkey = banana_1
sk-learn-tutorial-for-beginners
sk_learn_pipeline_example
task-force-and-others-of-the-team
pk_order_items_partition_by_day
hf_hub_download_of_a_model
npm_config_registry_default
pypi-package-index-mirror
bearer certificates of the company
bearer of bad-news-for-everyone
basic understanding-of-things
SG. Meier is absent
a state-of-the-art-2024-benchmark of my_long_function_name_v2
https://example.com/shoes?color=red&size=42
https://example.com/p/12345678901?page=2&sort=price
https://medium.com/@someone/a-story-123456789
https://example.com/a?code=SAVE20
https://maps.example/@47.3769,8.5417,12z
s3://bucket/2024/01/05/part-00000.parquet
/var/log/app.2024-01-05.log
C:\\temp\\file_20240105.txt
SELECT * FROM orders WHERE id = 123456789
{"id": 123456789, "total": 99.95}
git rebase -i HEAD~3
1e10 and 6.02214076e23
error 0x80070057
ORA-00942 and HTTP 404
flight LX 1234 gate B42
zip 8001 Zürich, 90210 Beverly Hills
postal 101-0021 Tokyo
size EU 42 / UK 8 / US 9
blood pressure 120/80, pulse 72
1st, 2nd and 3rd of May
30 minutes, 45 seconds, 1200 ms
call 911
dial 112 in an emergency
GPT-4, Llama-3.1-405B, gemini-1.5-pro-002
model gpt-4o-2024-08-06
我的订单 12345 在哪里
注文番号 1234567890 はどこ
Заказ 123456789 не пришёл
Bestellung 0123456789 fehlt
commande 0612345678 annulée
"""

POSITIVES = {"email": EMAILS, "phone": PHONES, "card": CARDS, "iban": IBANS, "ip": IPS, "key": KEYS}


def sentences() -> list[tuple[str, str]]:
    """All sentences without brackets, each with the expected text after scrubbing."""
    found = [(text, text) for text in NEGATIVES.strip().splitlines()]
    for kind, lines in POSITIVES.items():
        for line in lines.strip().splitlines():
            parts = line.replace("⟧", "⟦").split("⟦")
            marked = [f"<{kind.upper()}>" if number % 2 else part for number, part in enumerate(parts)]
            found.append(("".join(parts), "".join(marked)))
    return found
