//! Rows in a tree: where each one hangs, and whether it is in the trash.
//!
//! Each row has one written parent. Two devices may write parents that form a cycle; in each cycle the edge whose
//! write is greatest by (Lamport, peer) is ignored, so that all replicas show the same tree and nothing is
//! unreachable. A row whose parent is not here hangs under the root until it comes.

use super::Engine;
use super::values::{Among, Wish, invalid};
use crate::backend::{Backend, Row, RowChange, Select};
use crate::order;
use std::collections::BTreeSet;
use tombolo_core::{Direction, Entity, Filter, Order, Result, RowId, Term, Test, Value};
use tombolo_crdt::Place;

impl<B: Backend> Engine<B> {
    /// Turns what a caller wants into a place.
    ///
    /// # Errors
    /// `INVALID_DATA` if the parent is missing or lies below the row, or a named sibling is none.
    pub(super) fn resolve(
        &mut self,
        entity: &Entity,
        id: RowId,
        now_at: Option<&Place>,
        wish: Wish,
    ) -> Result<Place> {
        let Some(tree) = entity.tree_field() else { return Err(entity.unknown_field("parent")) };
        let name = tree.name.as_str();
        if let Some(parent) = wish.parent {
            self.check_parent(entity, id, parent, name)?;
        }
        let stays = now_at.is_some_and(|place| place.parent == wish.parent);
        if let (Among::Stay, true, Some(place)) = (wish.among, stays, now_at) {
            return Ok(place.clone());
        }
        let (after, before) = match wish.among {
            Among::Stay | Among::Last => {
                (self.last_child(entity, name, wish.parent)?.map(|row| row.place.order), None)
            }
            among => self.neighbours(entity, id, wish.parent, among, name)?,
        };
        let order = order::between(after.as_deref(), before.as_deref(), self.random.as_mut());
        Ok(Place { parent: wish.parent, order })
    }

    fn check_parent(&self, entity: &Entity, id: RowId, parent: RowId, name: &str) -> Result<()> {
        let mut above = Some(parent);
        let mut seen = BTreeSet::new();
        while let Some(at) = above.filter(|at| seen.insert(*at)) {
            if at == id {
                return Err(invalid(name, "a row cannot be placed below itself"));
            }
            let row = self.backend.row(entity, at)?;
            if at == parent && row.is_none() {
                return Err(invalid(name, &format!("there is no {} {parent}", entity.name)));
            }
            above = row.and_then(|row| effective(entity, &row));
        }
        Ok(())
    }

    fn last_child(&self, entity: &Entity, name: &str, parent: Option<RowId>) -> Result<Option<Row>> {
        let term = Term { field: name.to_owned(), test: Test::Is(parent.map_or(Value::Null, Value::Id)) };
        let key = Order { field: format!("{name}_order"), direction: Direction::Descending };
        let filter = Filter { terms: vec![term], order: vec![key] };
        let select = Select { filter, trashed: true, limit: Some(1), ..Select::default() };
        Ok(self.backend.select(entity, &select)?.pop())
    }

    fn neighbours(
        &self,
        entity: &Entity,
        id: RowId,
        parent: Option<RowId>,
        among: Among,
        name: &str,
    ) -> Result<(Option<String>, Option<String>)> {
        let siblings: Vec<Row> =
            self.backend.children(entity, parent)?.into_iter().filter(|row| row.id != id).collect();
        let find = |id: RowId| {
            siblings
                .iter()
                .position(|row| row.id == id)
                .ok_or_else(|| invalid(name, &format!("{id} is not among the rows there")))
        };
        let at = match among {
            Among::After(id) => find(id)? + 1,
            Among::Before(id) => find(id)?,
            Among::First => 0,
            Among::Last | Among::Stay => siblings.len(),
        };
        let key = |n: Option<usize>| n.and_then(|n| siblings.get(n)).map(|row| row.place.order.clone());
        Ok((key(at.checked_sub(1)), key(Some(at))))
    }

    /// Settles a new row, and the rows that were waiting for it.
    pub(super) fn plant(&mut self, entity: &Entity, id: RowId) -> Result<()> {
        let mut rows = self.backend.detached_children(entity, id)?;
        rows.extend(self.cycle_through(entity, id)?);
        rows.push(id);
        self.settle(entity, rows)
    }

    /// Settles a row whose written parent has changed; `before` is the cycle that it was in.
    pub(super) fn replant(&mut self, entity: &Entity, id: RowId, before: Vec<RowId>) -> Result<()> {
        let mut rows = before;
        rows.extend(self.cycle_through(entity, id)?);
        rows.push(id);
        self.settle(entity, rows)
    }

    /// Settles the rows that hung below a row which is gone.
    pub(super) fn uproot(&mut self, entity: &Entity, id: RowId) -> Result<()> {
        let orphans = self.backend.children(entity, Some(id))?.iter().map(|row| row.id).collect();
        self.settle(entity, orphans)
    }

    /// The rows of the cycle of written parents that a row is in; none if it is in none.
    pub(super) fn cycle_through(&self, entity: &Entity, id: RowId) -> Result<Vec<RowId>> {
        let mut path = vec![id];
        let mut seen = BTreeSet::from([id]);
        let mut at = self.backend.row(entity, id)?.and_then(|row| row.place.parent);
        while let Some(parent) = at {
            if parent == id {
                return Ok(path);
            }
            if !seen.insert(parent) {
                break;
            }
            path.push(parent);
            at = self.backend.row(entity, parent)?.and_then(|row| row.place.parent);
        }
        Ok(Vec::new())
    }

    fn settle(&mut self, entity: &Entity, mut rows: Vec<RowId>) -> Result<()> {
        let Some(n) = entity.fields.iter().position(|field| field.tree) else { return Ok(()) };
        rows.sort_unstable();
        rows.dedup();
        for id in &rows {
            let Some(row) = self.backend.row(entity, *id)? else { continue };
            let parent = self.effective_parent(entity, &row)?.map_or(Value::Null, Value::Id);
            if row.values[n] != parent {
                let change = RowChange { values: vec![(n, parent)], ..RowChange::default() };
                self.backend.update_row(entity, *id, &change)?;
            }
        }
        rows.iter().try_for_each(|id| self.settle_trash(entity, *id))
    }

    fn effective_parent(&self, entity: &Entity, row: &Row) -> Result<Option<RowId>> {
        let Some(parent) = row.place.parent else { return Ok(None) };
        if self.backend.row(entity, parent)?.is_none() {
            return Ok(None);
        }
        let mut ignored = None;
        for id in self.cycle_through(entity, row.id)? {
            let edge = self.backend.row(entity, id)?.map(|row| (row.place.lamport, row.place.peer, row.id));
            ignored = ignored.max(edge);
        }
        Ok(match ignored {
            Some((_, _, id)) if id == row.id => None,
            _ => Some(parent),
        })
    }

    /// Derives whether a row is in the trash, and all below it where that changed.
    pub(super) fn settle_trash(&mut self, entity: &Entity, id: RowId) -> Result<()> {
        let mut rows = vec![id];
        while let Some(id) = rows.pop() {
            let Some(row) = self.backend.row(entity, id)? else { continue };
            let above = match effective(entity, &row) {
                Some(parent) => self.backend.row(entity, parent)?.is_some_and(|parent| parent.trashed),
                None => false,
            };
            let trashed = row.deleted_at.is_some() || above;
            if trashed != row.trashed {
                let change = RowChange { trashed: Some(trashed), ..RowChange::default() };
                self.backend.update_row(entity, id, &change)?;
                rows.extend(self.backend.children(entity, Some(id))?.iter().map(|child| child.id));
            }
        }
        Ok(())
    }
}

/// The parent under which a row is shown.
fn effective(entity: &Entity, row: &Row) -> Option<RowId> {
    let n = entity.fields.iter().position(|field| field.tree)?;
    match row.values.get(n) {
        Some(Value::Id(id)) => Some(*id),
        _ => None,
    }
}
