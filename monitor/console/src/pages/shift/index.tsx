export default function Shift() {
  return <main className="page" />
}
