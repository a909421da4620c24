// What the miniature can draw. One subject a line: the emoji's label in emojibase, the name by which captions call it
// (the label, if it is left out), and other words for it that people use. Written for this project.

const SUBJECTS = `
smiling face with heart-eyes | face in love | love, heart eyes
smiling face with sunglasses | face with sunglasses | cool face
face screaming in fear | fear | screaming face, scared face
loudly crying face | crying face | sadness, sad face, grief
angry face | | anger, rage
smiling face with horns | devil | demon
skull | | death
ghost | | haunting spirit
alien | | extraterrestrial
robot | | android, machine man
red heart | heart | romance
broken heart | | heartbreak
detective | | cyberpunk detective, spy
ninja | warrior | ninja, fighter, portrait of a warrior
astronaut | | person in a space suit
Santa Claus | santa claus
man mage | wizard | sorcerer
mechanical arm | robotic arm | mechanical arm
thumbs up
monkey face | monkey
dog face | | dog, puppy
fox
cat face | | cat, kitten, kitty
tiger face | tiger
horse face | horse
unicorn
pig face | pig
elephant
rabbit face | rabbit | bunny
panda
baby chick | chick
penguin
owl
flamingo
frog
turtle
dragon face | | dragon head
T-Rex | dinosaur | t-rex
spouting whale | whale
tropical fish | | fish
octopus
butterfly
honeybee | bee | honeybee
cherry blossom
rose
sunflower
evergreen tree | pine tree | evergreen tree, forest
palm tree
cactus
mushroom
watermelon
banana
pineapple
red apple | | apple
cherries
strawberry
avocado
carrot
broccoli
hamburger | | burger
french fries
pizza | | slice of pizza, pizza slice
doughnut | donut | doughnut
birthday cake
hot beverage | cup of coffee | coffee, cup of tea
globe showing Europe-Africa | planet earth | earth, globe, world
volcano
sunrise over mountains | | mountains, sunset over the mountains, beautiful sunset over the mountains
sunset | | sunset over the city
night with stars | starry night | starry night by van gogh, night sky
house
castle | | fantasy castle, fortress
locomotive | train | steam train, locomotive
bus
automobile | car
sailboat | | boat
airplane | | plane
rocket | | spaceship, rocket ship
crescent moon | | moon
sun | | sunshine
star
cloud with rain | rain cloud | rain
rainbow
umbrella
high voltage | lightning bolt
snowman
fire | | flame
droplet | water drop
jack-o-lantern | | halloween pumpkin, pumpkin
Christmas tree | christmas tree
balloon
soccer ball
teddy bear
crown
gem stone | diamond | gem
guitar | | electric guitar
laptop
light bulb
key
shield
grinning face with smiling eyes | happy face | smile, happiness, joy
thinking face | | thought, thinker
sleeping face | | sleep, sleepy face
partying face | | party, celebration
cowboy hat face | cowboy | cowboy hat
clown face | clown
pile of poo | poo | poop
ogre
alien monster | space invader | video game monster
see-no-evil monkey | shy monkey | see no evil monkey
love letter
flexed biceps | strong arm | muscle, strength
waving hand | | hand
eye
brain
bone
footprints
baby
man: beard | bearded man
old woman | | grandmother
old man | | grandfather
princess
prince
man superhero | superhero | hero
woman fairy | fairy
man vampire | vampire | dracula
man zombie | zombie | undead
woman dancing | dancer | dancing woman
person surfing | surfer
skier
person biking | cyclist | person on a bicycle
gorilla
orangutan | | ape
poodle
wolf
raccoon
lion
leopard | | cheetah, jaguar
moose
donkey
zebra
deer | | stag
cow face | cow | bull
boar | wild boar
ram | | sheep
goat
camel
llama | | alpaca
giraffe
mammoth
rhinoceros | | rhino
hippopotamus | | hippo
mouse face | mouse | rat
hamster | | guinea pig
chipmunk | squirrel | chipmunk
beaver
hedgehog
bat
bear
koala
sloth
otter
skunk
kangaroo
badger
turkey
rooster | | cock
hatching chick
bird
dove | | pigeon
eagle | | hawk, falcon
duck
swan
dodo
feather
peacock
parrot
goose
crocodile | | alligator
lizard | | gecko
snake
dragon | chinese dragon
dolphin
seal
fish | blue fish
blowfish | pufferfish
shark
spiral shell | seashell | shell
coral
jellyfish
crab
lobster
shrimp
squid
snail
bug | caterpillar
ant
lady beetle | ladybug | ladybird
spider
spider web
scorpion
bouquet | bouquet of flowers | flowers
lotus
hibiscus
tulip
seedling | | sprout, plant
potted plant
deciduous tree | tree | oak tree
four leaf clover | | clover
maple leaf
fallen leaf | autumn leaf | autumn leaves
grapes
melon
tangerine | orange | mandarin
lemon
mango
pear
peach
blueberries
kiwi fruit | kiwi
tomato
coconut
eggplant | | aubergine
potato
ear of corn | corn
hot pepper | chili pepper
garlic
onion
bread | | loaf of bread
croissant
pretzel
pancakes
waffle
cheese wedge | cheese
meat on bone
poultry leg | chicken leg | fried chicken
bacon
hot dog
sandwich
taco
burrito
egg
cooking | fried egg
pot of food | pot of stew | stew, soup
popcorn
rice ball
steaming bowl | bowl of ramen | ramen, noodles
spaghetti | | pasta
sushi
dumpling
ice cream
soft ice cream | ice cream cone
cookie
shortcake | slice of cake | cake
cupcake | | muffin
pie
chocolate bar | | chocolate
candy
lollipop
honey pot | | honey
glass of milk | | milk
teapot
wine glass | | glass of wine, wine
cocktail glass | | cocktail, martini
beer mug | | beer
bubble tea
world map | | map
compass
snow-capped mountain | snowy mountain | mountain
mount fuji
camping | campsite | campfire, camp
beach with umbrella | beach | beach umbrella
desert
desert island | | island, tropical island
stadium
classical building | greek temple | temple
hut | | cabin, cottage
office building | skyscraper | tower, building
hospital
school
factory
Japanese castle | japanese castle
Tokyo tower | tokyo tower
Statue of Liberty | statue of liberty
church | | cathedral, chapel
mosque
fountain
tent
cityscape | city | futuristic city, city skyline
bridge at night | bridge
carousel horse
ferris wheel
roller coaster
circus tent
bullet train
tram
ambulance
fire engine | fire truck
police car
taxi | | cab
pickup truck
delivery truck | truck
tractor
racing car | race car
motorcycle | | motorbike
motor scooter | scooter
bicycle | | bike
skateboard
anchor
canoe
speedboat
passenger ship | cruise ship
ship
helicopter
parachute
satellite
flying saucer | ufo
hourglass done | hourglass
alarm clock | | clock
watch
full moon
ringed planet | saturn | planet
shooting star | | comet
cloud
sun behind cloud
tornado | | hurricane
snowflake
water wave | wave | ocean wave, ocean, sea, the great wave
fireworks
sparkles
party popper
wrapped gift | gift | present, gift box
trophy
baseball
basketball
tennis | tennis ball
boxing glove
fishing pole | fishing rod
kite
crystal ball
magic wand
video game | game controller
game die | dice
puzzle piece
chess pawn | | chess
artist palette | | palette
yarn | ball of yarn
glasses
sunglasses
t-shirt
jeans
scarf
dress
kimono
backpack
running shoe | sneaker | shoe
high-heeled shoe | high heel
top hat
graduation cap
lipstick
ring | | diamond ring
bell
musical note
microphone
headphone | headphones
radio
saxophone
trumpet
violin
drum
mobile phone | | phone, smartphone
telephone
battery
desktop computer | computer | computer screen
camera
television | tv
candle
flashlight
red paper lantern | lantern | paper lantern
open book | book | spell book
books | stack of books
scroll
newspaper
money bag | | money
coin
envelope | letter
package | cardboard box | box
postbox | mailbox
pencil
paintbrush
crayon
scissors
old key
locked | padlock | lock
hammer
axe
dagger | | sword
crossed swords | | swords
bomb
bow and arrow
wrench
gear | | cog
magnet
microscope
telescope
test tube
pill
syringe
door
mirror
window
bed
chair
toilet
bathtub
broom
basket
soap
shopping cart
coffin
moai | easter island statue
joystick
pirate flag
boy
girl
man
woman | | lady
teacher
judge
farmer | | gardener
cook | chef
mechanic
scientist
singer
artist | painter
pilot
firefighter | | fireman
police officer | | policeman, police
guard | royal guard
construction worker | builder | construction worker
health worker | doctor | nurse
student | | pupil
person with crown | king | queen
baby angel | angel
man elf | elf
man genie | genie
troll
woman mage | witch | sorceress
man supervillain | villain | supervillain
woman with veil | bride
man in tuxedo | groom | man in a suit, gentleman
man technologist | hacker | programmer
person in lotus position | monk | yoga, meditation
person running | runner
person swimming | swimmer
snowboarder
horse racing | horse rider | jockey, rider
person lifting weights | weightlifter
person rowing boat | rower
person juggling | juggler
person climbing | climber
person fencing | fencer
winking face
nerd face | nerd
exploding head
face with medical mask | face with a mask
cold face | freezing face
goblin
skull and crossbones
mechanical leg | robotic leg | mechanical leg
ear
nose
tooth
mouth | lips
anatomical heart
lungs
raised fist | fist
victory hand | peace sign
handshake
folded hands | praying hands
polar bear
bison | buffalo
ox
sauropod | brontosaurus | long-necked dinosaur
oyster
beetle
cricket | grasshopper
cockroach
mosquito
fly | housefly
worm
microbe | | virus, bacteria
paw prints | paw print
wing
nest with eggs | bird nest | nest
blossom | flower | daisy
wilted flower | wilted rose
hyacinth | lavender
sheaf of rice | wheat
herb
leaf fluttering in wind | leaf | green leaf
olive
bell pepper
cucumber
leafy green | lettuce | cabbage
peanuts
beans
chestnut
ginger root | ginger
pea pod | peas
baguette bread | baguette
bagel
cut of meat | steak
stuffed flatbread | kebab
falafel
shallow pan of food | paella
fondue
green salad | salad
butter
salt
canned food | tin can
bento box | bento
cooked rice | bowl of rice | rice
curry rice | curry
fried shrimp
dango
fortune cookie
takeout box
shaved ice
custard | pudding
baby bottle
teacup without handle | green tea | teacup
bottle with popping cork | champagne | bottle
tropical drink
tumbler glass | whiskey
cup with straw | soda | lemonade
beverage box | juice box | juice
ice | ice cube
fork and knife with plate | plate | dinner
spoon
fork and knife | fork
kitchen knife | knife
jar
amphora | vase
rock | | stone, boulder
wood | log | firewood
brick | | bricks
house with garden | | garden
derelict house | haunted house | ruin
hotel
bank
post office
convenience store | shop | store
shinto shrine | torii
playground slide | playground | slide
barber pole
metro | subway
minibus | van
sport utility vehicle | jeep | suv
articulated lorry | lorry
manual wheelchair | wheelchair
auto rickshaw | rickshaw
kick scooter
roller skate
fuel pump | gas pump | petrol pump
wheel | | tire
vertical traffic light | traffic light
stop sign
ring buoy | lifebuoy | life ring
mountain cableway | cable car | gondola
luggage | suitcase
stopwatch
thermometer
milky way | galaxy | milky way
cloud with lightning | storm cloud | storm
cloud with snow | snow cloud
wind face | wind
railway track | railway | railroad
motorway | highway | road
firecracker | dynamite
wind chime
ribbon | | bow tie
ticket
military medal | medal
volleyball
american football | | rugby ball
bowling
ice hockey | hockey stick | hockey
ping pong | table tennis | ping pong
badminton
martial arts uniform | karate suit | karate
flag in hole | golf | golf hole
ice skate
diving mask | snorkel
skis
sled
bullseye | target | dartboard
yo-yo
water pistol | water gun | pistol
pool 8 ball | billiard ball
slot machine
mirror ball | disco ball | disco
nesting dolls | russian doll | doll
joker | playing card
performing arts | theater masks | theatre
framed picture | picture frame
thread
knot | rope
goggles
necktie | tie
gloves
coat | | jacket
socks
bikini
shorts
folding hand fan | hand fan
purse
handbag
shopping bags
hiking boot | boot
ballet shoes
billed cap | cap | baseball cap
military helmet | helmet
megaphone
studio microphone
accordion
musical keyboard | piano | grand piano
banjo
long drum | conga
maracas
flute
electric plug | plug
printer
keyboard | computer keyboard | keyboard
computer mouse
floppy disk
optical disk | cd | compact disc
abacus
clapper board | movie clapper
movie camera | film camera
video camera
magnifying glass tilted left | magnifying glass
diya lamp | oil lamp
closed book | notebook
label | price tag
dollar banknote | banknote | dollar bill
credit card
receipt
fountain pen | pen
memo | sheet of paper
briefcase
file folder | folder
calendar
bar chart | chart
clipboard
pushpin
paperclip
straight ruler | ruler
wastebasket | trash can
pick | pickaxe
boomerang
carpentry saw | handsaw
screwdriver
nut and bolt | screw
balance scale | scales
chains | chain
hook
toolbox
ladder
alembic | potion | alembic
dna
satellite antenna | radar dish | antenna
drop of blood | blood
adhesive bandage | bandage
crutch
stethoscope
elevator
couch and lamp | sofa | couch
plunger
shower
mouse trap | mousetrap
razor
safety pin
roll of paper | toilet paper
bucket
bubbles
toothbrush
sponge
fire extinguisher
cigarette
headstone | gravestone | tombstone, grave
funeral urn | urn
nazar amulet | amulet
warning | warning sign
radioactive | radioactive sign
yin yang
peace symbol
red question mark | question mark
check mark button | check mark
latin cross | cross
menorah
chequered flag | racing flag
triangular flag | flag
rainbow flag
speech balloon | speech bubble
collision | explosion
`;

/** @returns {{ label: string, name: string, others: string[] }[]} */
export function subjects() {
  const seen = new Set();
  return SUBJECTS.split("\n").flatMap((line) => {
    const [label, name, others] = line.split("|").map((part) => part.trim());
    if (!label || seen.has(label)) return [];
    seen.add(label);
    const list = (others ?? "").split(",").map((word) => word.trim());
    return [{ label, name: name || label.toLowerCase(), others: list.filter(Boolean) }];
  });
}
