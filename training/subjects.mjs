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
red heart | | heart, romance
broken heart | | heartbreak
detective | | cyberpunk detective, spy
ninja | warrior | ninja, fighter, portrait of a warrior
astronaut | | person in a space suit
Santa Claus | santa claus
man mage | wizard | mage, sorcerer
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
rose | | red rose
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
automobile | red car | car
sailboat | | boat
airplane | | plane
rocket | | spaceship, rocket ship
crescent moon | | moon
sun | | sunshine
star | | yellow star
cloud with rain | rain cloud | rain
rainbow
umbrella
high voltage | lightning bolt
snowman
fire | | flame
droplet | water drop
jack-o-lantern | | halloween pumpkin, pumpkin
Christmas tree | christmas tree
balloon | | red balloon
soccer ball
teddy bear
crown | | golden crown
gem stone | diamond | gem
guitar | | electric guitar
laptop | | computer
light bulb
key
shield
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
